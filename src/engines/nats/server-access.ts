/**
 * Who may do what on the servers: one account for each cluster of Troupe, and in it one user for
 * each node and for each operator. A node listens on its own answers and on what its cluster says
 * to itself; it writes logs, keys and large values, but makes, changes and deletes no streams.
 */
import { TroupeError } from '../../core/errors.ts';
import type { ConfigFields, ConfigValue } from './config-text.ts';
import { serversSubject } from './server-reports.ts';

/** How a user is known: the public half of an nkey, or a password (better its bcrypt hash). */
export type UserKey =
  | { readonly nkey: string }
  | { readonly user: string; readonly password: string };

/** A user of the account. */
export interface AccountUser {
  /** The node id, or the operator's name: letters, digits, `-` and `_`. */
  readonly name: string;
  readonly role: 'node' | 'operator';
  readonly key: UserKey;
}

/** Who may come in. */
export interface AccessPlan {
  /** The name of the cluster of Troupe; without one, for development, any may be used. */
  readonly cluster?: string | undefined;
  readonly users: readonly AccountUser[];
  /** Somebody who may look at the servers themselves. */
  readonly system?: UserKey | undefined;
  /** Whether whoever names nobody is let in too and may do all: for tests on one machine. */
  readonly isOpen?: boolean | undefined;
}

const plainWord = /^[\w-]{1,100}$/;

/** What the subjects of a user's answers begin with: the `inboxPrefix` of its connection. */
export function inboxPrefixOf(cluster: string, userName: string): string {
  return `_INBOX.${cluster}.${userName}`;
}

/**
 * The part of a server's configuration that says who may come in.
 *
 * @throws `CONFIG_INVALID` for names that are no plain words, and for no users.
 */
export function accessFields(plan: AccessPlan): ConfigFields {
  const { cluster, users, system, isOpen = false } = plan;
  for (const word of [cluster ?? 'any', ...users.map(({ name }) => name)]) {
    if (!plainWord.test(word)) {
      throw new TroupeError('CONFIG_INVALID', {
        detail: `${JSON.stringify(word)} is no name of letters, digits, - and _`,
      });
    }
  }
  const isEmpty = users.length === 0 && !isOpen;
  if (isEmpty || new Set(users.map(({ name }) => name)).size < users.length) {
    throw new TroupeError('CONFIG_INVALID', {
      detail: 'the account of a cluster needs users, each with a name of its own',
    });
  }
  return {
    accounts: {
      SYS: {
        users: system === undefined ? [] : [keyFields(system)],
        exports: [{ ...askingServers, accounts: [accountOf(cluster)], response_type: 'stream' }],
      },
      [accountOf(cluster)]: {
        jetstream: 'enabled',
        '# imports': 'Here nodes ask the servers whether they flush, and how late it is.',
        imports: [
          { service: { account: 'SYS', subject: askingServers.service }, to: serversSubject },
        ],
        users: [...users.map(user => userFields(cluster, user)), ...(isOpen ? [anybody] : [])],
      },
    },
    system_account: 'SYS',
    ...(isOpen ? { no_auth_user: anybody.user } : {}),
  };
}

const askingServers = { service: '$SYS.REQ.SERVER.PING.VARZ' } as const;
/** Whoever names nobody is this user; naming it proves nothing and gives nothing more. */
const anybody = { user: 'anybody', password: 'anybody' } as const;

/** The account of a cluster: what is in it is out of reach for all other accounts. */
function accountOf(cluster: string | undefined): string {
  return cluster === undefined ? 'TROUPE' : `TROUPE_${cluster}`;
}

function userFields(cluster: string | undefined, { name, role, key }: AccountUser): ConfigFields {
  const reach = role === 'operator' ? operations : nodeOperations;
  const own = cluster === undefined ? 'tp.>' : `tp.${cluster}.>`;
  const answers = cluster === undefined ? '_INBOX' : inboxPrefixOf(cluster, name);
  return {
    [`# ${name}`]: `the ${role} ${name}`,
    ...keyFields(key),
    permissions: {
      publish: { allow: [own, '$KV.>', ...reach] },
      '# subscribe': 'Who watches keys hears of changes by their subjects.',
      subscribe: { allow: [`${answers}.>`, own, '$KV.>'] },
      '# responses': 'Answers go only to whoever asked, and within this time.',
      allow_responses: { max: 1, expires: '2m' },
    },
  };
}

function keyFields(key: UserKey): { readonly [name: string]: ConfigValue } {
  return 'nkey' in key ? { nkey: key.nkey } : { user: key.user, password: key.password };
}

const api = '$JS.API.';

/** A stream cannot be named in part, so the account is the border between clusters. */
const nodeOperations: readonly string[] = [
  'INFO',
  'STREAM.NAMES',
  'STREAM.INFO.*',
  'STREAM.MSG.GET.*',
  'STREAM.MSG.DELETE.*',
  'STREAM.PURGE.*',
  'DIRECT.GET.*',
]
  .map(operation => `${api}${operation}`)
  .concat(serversSubject);

const operations: readonly string[] = [`${api}>`, serversSubject];
