/** `troupe engine config`: the files for NATS servers in production. */
import type { Command } from 'commander';
import { toWire } from '../gateway/wire.ts';
import { type ProductionFiles, writeEngineFiles } from '../node/local-engine.ts';
import { usageError } from './exit-codes.ts';
import { sessionOf } from './session.ts';
import { fieldsText, tableText } from './table.ts';
import type { Terminal } from './terminal.ts';

interface ConfigOptions {
  readonly server: readonly { readonly name: string; readonly host: string }[];
  readonly node: readonly string[];
  readonly operator: readonly string[];
  readonly certificates: string;
  readonly store: string;
}

/** Adds the command to those of `troupe engine`. */
export function addEngineConfigCommand(engine: Command, terminal: Terminal): void {
  engine
    .command('config')
    .description('write the files for servers in production: configurations and keys')
    .argument('<cluster>', 'the name of the cluster of Troupe')
    .argument('<directory>', 'where to; keys that are there are kept')
    .requiredOption(
      '--server <name=host...>',
      'each server, and the host of its certificate',
      place,
    )
    .requiredOption('--node <id...>', 'each node', listed)
    .option('--operator <name...>', 'who makes and changes streams', listed, ['operator'])
    .option('--certificates <dir>', 'where cert.pem, key.pem and ca.pem lie there', '/etc/nats')
    .option('--store <dir>', 'where the servers keep their data', '/var/lib/nats')
    .action(
      async (cluster: string, directory: string, options: ConfigOptions, command: Command) => {
        const session = sessionOf(terminal, command);
        const { server: servers, node: nodes, operator: operators, certificates, store } = options;
        const written = await writeEngineFiles({
          directory,
          cluster,
          servers,
          nodes,
          operators,
          certificateDirectory: certificates,
          storeDirectory: store,
        });
        session.show(toWire(written), filesText);
      },
    );
}

type Place = ConfigOptions['server'][number];

function place(text: string, before: readonly Place[] = []): readonly Place[] {
  const [name = '', host = ''] = text.split('=', 2);
  if (name === '' || host === '') throw usageError(`--server ${text}: write name=host`);
  return [...before, { name, host }];
}

const preset: readonly string[] = ['operator'];

function listed(text: string, before: readonly string[] = []): readonly string[] {
  // The first one that is typed replaces what is taken when none is.
  return before.join() === preset.join() ? [text] : [...before, text];
}

function filesText({ directory, files, users }: ProductionFiles): string {
  const table = tableText({
    columns: ['USER', 'ROLE', 'KEY', 'INBOX PREFIX'],
    rows: users.map(({ name, role, inboxPrefix }) => [name, role, `${name}.nk`, inboxPrefix]),
  });
  const fields = fieldsText([
    ['written to', directory],
    ['for servers', files.filter(name => name.endsWith('.conf')).join(', ')],
    ['clients use', users[0]?.servers.join(',') ?? ''],
  ]);
  return `${table}\n${fields}`;
}
