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
  /** Origins whose pages may send requests from a browser. */
  readonly corsOrigins: readonly string[];
  /** Whether authentication is off only because the service listens on loopback. */
  readonly loopbackOnly: boolean;
  readonly maxBodyBytes: number;
  readonly openRequests: OpenRequests;
}

/** Body limit of unauthenticated requests. */
const MOST_UNAUTHENTICATED_BYTES = 16 * 1024;
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Authenticates and authorises every request before its body is read. The hook covers all routes of the server: those
 * of Nest and those of plugins. Also counts the open requests of each API key.
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
  // No route matches: the 404 reveals nothing, so it needs no authentication.
  const requirement = route === undefined ? 'public' : requirementOf(route);
  if (requirement === 'public') requireSmallBody(request);
  if (route === undefined) return;
  if (holdsKey(request.url)) throw keyInUrl();
  const key = bearerOf(request.headers.authorization);
  // Not needed with an Authorization header: browsers never add bearer tokens to cross-site requests by themselves.
  if (key === null && !SAFE_METHODS.includes(request.method) && isOfAnotherSite(request.headers, parts.corsOrigins)) {
    throw crossSite();
  }
  if (!parts.authenticator.on) {
    // DNS rebinding: under a name that an attacker points at this machine, the attacker's pages would be same-origin.
    if (parts.loopbackOnly && !isLoopbackHost(request.host)) throw foreignHost(request.host);
    setCaller(request, ANYBODY);
    return;
  }
  if (requirement === 'public') return;
  const caller = key === null ? await callerOfSession(request, parts) : await parts.authenticator.callerOfKey(key);
  setCaller(request, requireScope(caller, requirement));
}

/** Limits the memory that unauthenticated requests can occupy. A body without a declared length is refused. */
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
