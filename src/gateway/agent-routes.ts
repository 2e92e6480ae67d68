/** Agents over the admin API: lists, calls, signals, state and history, deletion. */
import type { Context, Hono } from 'hono';
import type { AgentStatus } from '../agent/administration-reads.ts';
import type { Contract } from '../agent/contract.ts';
import type { Moment } from '../agent/history-types.ts';
import type { SendOptions } from '../agent/references.ts';
import { jsonSchemaOf, type Schema } from '../agent/schema.ts';
import type { AgentReference } from '../client/reference.ts';
import type { Duration } from '../core/duration.ts';
import { TroupeError } from '../core/errors.ts';
import type { NodeFace } from '../node/face.ts';
import { answer } from './answers.ts';
import { streamLines } from './lines.ts';
import {
  bodyOf,
  countField,
  type Fields,
  flagField,
  queryOf,
  requiredText,
  textField,
  timeField,
  wordField,
} from './request-fields.ts';

const base = '/v1/agents';

/** Adds the routes of agents. */
export function addAgentRoutes(app: Hono, face: NodeFace): void {
  const at = (context: Context) => face.agents.get(context.req.param('address') ?? '');
  app.get('/v1/types', context => answer(context, typesOf(face)));
  app.get(base, async context => {
    const query = queryOf(context, ['type', 'prefix', 'limit', 'cursor']);
    const [type, prefix, cursor] = ['type', 'prefix', 'cursor'].map(name => textField(query, name));
    const limit = countField(query, 'limit');
    return answer(context, await face.agents.list({ type, prefix, limit, cursor }));
  });
  app.get(`${base}/:address`, async context => answer(context, await statusOf(at(context))));
  app.delete(`${base}/:address`, async context => {
    await at(context).delete();
    return answer(context, { isDeleted: true });
  });
  addMessageRoutes(app, at);
  addHistoryRoutes(app, at);
}

type At = (context: Context) => AgentReference;

const sendFields = ['action', 'input', 'timeout', 'priority', 'delivery', 'idempotencyKey'];

function addMessageRoutes(app: Hono, at: At): void {
  app.post(`${base}/:address/call`, async context => {
    const fields = await bodyOf(context, sendFields);
    const action = requiredText(fields, 'action');
    const result = await at(context).tryExecute(action, fields.input, sendOptionsOf(fields));
    if (!result.ok) throw result.error;
    return answer(context, { value: result.value, ...result.position });
  });
  app.post(`${base}/:address/send`, async context => {
    const fields = await bodyOf(context, sendFields);
    const action = requiredText(fields, 'action');
    return answer(context, await at(context).send(action, fields.input, sendOptionsOf(fields)));
  });
  app.post(`${base}/:address/signal`, async context => {
    const fields = await bodyOf(context, ['signal', 'data', 'run']);
    const signal = requiredText(fields, 'signal');
    await at(context).signal(signal, fields.data, { run: textField(fields, 'run') });
    return answer(context, { isRecorded: true });
  });
}

function addHistoryRoutes(app: Hono, at: At): void {
  app.get(`${base}/:address/state`, async context => {
    const moment = momentOf(queryOf(context, ['version', 'time']));
    if (moment !== undefined) return answer(context, await at(context).stateAt(moment));
    const { state, epoch, version, at: time } = await statusOf(at(context));
    return answer(context, { state, epoch, version, at: time });
  });
  app.get(`${base}/:address/events`, context => {
    const query = queryOf(context, ['from', 'follow']);
    const [from, follow] = [countField(query, 'from'), flagField(query, 'follow')];
    const agent = at(context);
    return streamLines(context, abortSignal => agent.events({ from, follow, abortSignal }));
  });
}

function momentOf(query: Fields): Moment | undefined {
  const [version, time] = [countField(query, 'version'), timeField(query, 'time')];
  if (version !== undefined && time !== undefined) {
    throw new TroupeError('INVALID_INPUT', { detail: 'give a version or a time, not both' });
  }
  if (version !== undefined) return { version };
  return time === undefined ? undefined : { time };
}

function sendOptionsOf(fields: Fields): SendOptions {
  const timeout = fields.timeout ?? undefined;
  return {
    // durationMs refuses whatever is not a duration.
    timeout: timeout as Duration | undefined,
    priority: wordField(fields, 'priority', ['high', 'normal', 'low']),
    delivery: wordField(fields, 'delivery', ['at_most_once', 'at_least_once', 'exactly_once']),
    idempotencyKey: textField(fields, 'idempotencyKey'),
  };
}

async function statusOf(agent: AgentReference) {
  // The answer to `$status` is an AgentStatus; administration is not typed by its action.
  const { at, timers, ...status } = (await agent.administer('$status', undefined)) as AgentStatus;
  return {
    ...status,
    timers: timers.map(({ dueAt, ...timer }) => ({ ...timer, dueAt: new Date(dueAt) })),
    at: at === 0 ? undefined : new Date(at),
  };
}

function typesOf(face: NodeFace): readonly object[] {
  return [...face.node.kernel.router.types()].map(({ contract, isHosted }) => ({
    type: contract.type,
    isHosted,
    consistency: contract.consistency,
    stateVersion: contract.stateVersion,
    description: contract.description,
    actions: actionsOf(contract),
    events: schemasOf(contract.events),
    signals: schemasOf(contract.signals),
  }));
}

function actionsOf({ actions }: Contract): readonly object[] {
  return Object.entries(actions).map(([name, action]) => ({
    name,
    kind: action.kind,
    description: action.description,
    input: action.input && jsonSchemaOf(action.input, 'input'),
    output: action.output && jsonSchemaOf(action.output, 'output'),
  }));
}

function schemasOf(schemas: Readonly<Record<string, Schema>>): readonly object[] {
  return Object.entries(schemas).map(([name, schema]) => ({
    name,
    schema: jsonSchemaOf(schema, 'input'),
  }));
}
