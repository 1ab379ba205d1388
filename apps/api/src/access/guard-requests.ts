import { timingSafeEqual } from 'node:crypto';
import { type Authenticator, bearerOf, holdsKey, missingKey, requireScope, type Sessions } from '#access';
import { ANYBODY, type Caller } from '#contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { sendError } from '../http/send-error.js';
import { toApiError } from '../http/to-api-error.js';
import type { OpenRequests } from './open-requests.js';
import { callerIfKnown, setCaller } from './caller.js';
import { isLoopbackHost, isOfAnotherSite } from './origins.js';
import { requirementOf } from './policy.js';
import { badCsrfToken, crossSite, foreignHost, keyInUrl, unauthenticatedBody } from './refusals.js';
import { SESSION_COOKIE } from './session-cookie.js';

export interface GuardParts {
  readonly authenticator: Authenticator;
  readonly sessions: Sessions;
  /** Of whose pages a browser may ask. */
  readonly corsOrigins: readonly string[];
  /** Whether keys are not asked for only because nobody but this machine can reach the service. */
  readonly loopbackOnly: boolean;
  readonly maxBodyBytes: number;
  readonly openRequests: OpenRequests;
}

/** Body limit of unauthenticated requests. */
const MOST_UNAUTHENTICATED_BYTES = 16 * 1024;
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Lets only those in who may, for every route of the server, whoever made it, and before anything of a body is read.
 */
export function guardRequests(server: FastifyInstance, parts: GuardParts): void {
  server.addHook('onRequest', async (request, reply) => {
    try {
      await admit(request, parts);
      const caller = callerIfKnown(request);
      // If the client already disconnected, 'close' has fired and would never release the slot.
      if (caller !== null && !reply.raw.destroyed) reply.raw.once('close', parts.openRequests.enter(caller));
    } catch (error) {
      const apiError = toApiError(error, { maxBodyBytes: parts.maxBodyBytes });
      if (apiError.status === 500) request.log.error({ err: apiError.cause ?? apiError }, apiError.message);
      sendError(reply, apiError);
      return reply;
    }
    return undefined;
  });
}

async function admit(request: FastifyRequest, parts: GuardParts): Promise<void> {
  const route = request.routeOptions.url;
  // Nothing is there: the answer tells nobody anything.
  const requirement = route === undefined ? 'public' : requirementOf(route);
  if (requirement === 'public') requireSmallBody(request);
  if (route === undefined) return;
  if (holdsKey(request.url)) throw keyInUrl();
  const key = bearerOf(request.headers.authorization);
  // Whoever sends a key by hand is no page of another site: browsers do not do that by themselves.
  if (key === null && !SAFE_METHODS.includes(request.method) && isOfAnotherSite(request.headers, parts.corsOrigins)) {
    throw crossSite();
  }
  if (!parts.authenticator.on) {
    // A name that an attacker's DNS points at this machine would make its pages pages of this site.
    if (parts.loopbackOnly && !isLoopbackHost(request.host)) throw foreignHost(request.host);
    setCaller(request, ANYBODY);
    return;
  }
  if (requirement === 'public') return;
  const caller = key === null ? await callerOfSession(request, parts) : await parts.authenticator.callerOfKey(key);
  setCaller(request, requireScope(caller, requirement));
}

/** Memory is for callers who authenticate. */
function requireSmallBody({ headers }: FastifyRequest): void {
  const bytes = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  if (bytes > MOST_UNAUTHENTICATED_BYTES) throw unauthenticatedBody(MOST_UNAUTHENTICATED_BYTES);
}

async function callerOfSession(request: FastifyRequest, { authenticator, sessions }: GuardParts): Promise<Caller> {
  const token = request.cookies[SESSION_COOKIE];
  const session = token === undefined ? null : await sessions.get(token);
  if (session === null) throw missingKey();
  if (!SAFE_METHODS.includes(request.method) && !isEqual(request.headers['x-csrf-token'], session.csrfToken)) {
    throw badCsrfToken();
  }
  return authenticator.callerOfKeyId(session.keyId);
}

function isEqual(given: string | string[] | undefined, wanted: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
