/**
 * The admin API: every route behind the same checks, in the same order. It is a thin face of client
 * and node, versioned by its path; how it is reached is the business of `open-admin.ts`.
 */
import { Hono } from 'hono';
import { TroupeError } from '../core/errors.ts';
import type { NodeFace } from '../node/face.ts';
import { addAgentRoutes } from './agent-routes.ts';
import { answerError, noSuchRoute } from './answers.ts';
import { addDataRoutes } from './data-routes.ts';
import { onlyLoopback, onlyWithToken } from './guard.ts';
import { addHealthRoutes, addMetricsRoute } from './probes.ts';
import { addRunRoutes } from './run-routes.ts';

/** What the API stands on. */
export interface AdminApiOptions {
  readonly face: NodeFace;
  /** What a caller must know. */
  readonly token: string;
}

/** The API as a function from requests to responses. */
export function adminApi({ face, token }: AdminApiOptions): Hono {
  const app = new Hono();
  app.onError((error, context) => answerError(context, error));
  app.notFound(noSuchRoute);
  app.use('*', onlyLoopback);
  app.use('*', async (context, next) => {
    await next();
    context.header('cache-control', 'no-store');
    context.header('x-content-type-options', 'nosniff');
  });
  addHealthRoutes(app, face);
  app.use('*', onlyWithToken(token));
  addMetricsRoute(app, face);
  app.use('*', async (_context, next) => {
    if (face.standing().standing === 'starting') {
      throw new TroupeError('NOT_STARTED', { detail: 'the node is starting; ask again soon' });
    }
    await next();
  });
  addDataRoutes(app, face);
  addAgentRoutes(app, face);
  addRunRoutes(app, face);
  return app;
}
