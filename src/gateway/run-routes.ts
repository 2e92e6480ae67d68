/** Runs of tasks and dead letters over the admin API: lists, ends, and what a person decides. */
import type { Hono } from 'hono';
import type { Resolution, RunStatus } from '../agent/run-types.ts';
import { TroupeError } from '../core/errors.ts';
import { previewOf } from '../core/values.ts';
import type { NodeFace } from '../node/face.ts';
import { answer } from './answers.ts';
import {
  bodyOf,
  countField,
  queryOf,
  requiredText,
  textField,
  wordField,
} from './request-fields.ts';

const statuses: readonly RunStatus[] = [
  'running',
  'waiting',
  'asking',
  'done',
  'failed',
  'cancelled',
];

/** Adds the routes of runs and dead letters. */
export function addRunRoutes(app: Hono, face: NodeFace): void {
  const { runs } = face;
  app.get('/v1/runs', async context => {
    const query = queryOf(context, ['type', 'status', 'limit', 'cursor']);
    const [type, cursor] = [textField(query, 'type'), textField(query, 'cursor')];
    const [status, limit] = [wordField(query, 'status', statuses), countField(query, 'limit')];
    return answer(context, await runs.list({ type, status, limit, cursor }));
  });
  app.get('/v1/runs/:id', async context => {
    const id = context.req.param('id');
    const run = await runs.get(id);
    if (run === undefined) throw noRun(id);
    return answer(context, run);
  });
  app.post('/v1/runs/:id/cancel', async context => {
    const fields = await bodyOf(context, ['reason']);
    const id = context.req.param('id');
    if ((await runs.get(id)) === undefined) throw noRun(id);
    await runs.cancel(id, textField(fields, 'reason'));
    return answer(context, await runs.get(id));
  });
  app.post('/v1/runs/:id/resolve', async context => {
    const fields = await bodyOf(context, ['step', 'key', 'resolution']);
    const [step, key] = [requiredText(fields, 'step'), textField(fields, 'key')];
    const resolution = resolutionOf(fields.resolution);
    await runs.resolve(context.req.param('id'), step, resolution, { key });
    return answer(context, { isRecorded: true });
  });
  addDeadLetterRoutes(app, face);
}

function addDeadLetterRoutes(app: Hono, { deadLetters }: NodeFace): void {
  app.get('/v1/dead', async context => {
    const query = queryOf(context, ['type', 'limit', 'cursor']);
    const [type, cursor] = [textField(query, 'type'), textField(query, 'cursor')];
    const limit = countField(query, 'limit');
    return answer(context, await deadLetters.list({ type, limit, cursor }));
  });
  app.post('/v1/dead/:id/retry', async context =>
    answer(context, await deadLetters.retry(context.req.param('id'))),
  );
  app.delete('/v1/dead/:id', async context => {
    await deadLetters.drop(context.req.param('id'));
    return answer(context, { isDropped: true });
  });
}

function resolutionOf(value: unknown): Resolution {
  if (value === 'retry' || value === 'fail') return value;
  if (typeof value === 'object' && value !== null && 'value' in value) {
    return { value: value.value };
  }
  throw new TroupeError('INVALID_INPUT', {
    detail: `resolution is ${previewOf(value)}; it must be "retry", "fail" or { "value": … }`,
  });
}

function noRun(id: string): TroupeError {
  return new TroupeError('INVALID_INPUT', {
    detail: `there is no run ${previewOf(id)}, or none any more (limits.resultWindow)`,
  });
}
