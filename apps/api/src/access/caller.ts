import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '#contracts';
import type { FastifyRequest } from 'fastify';

const callers = new WeakMap<FastifyRequest, Caller>();

/** Stores the caller of a request after authentication. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** The caller of a request; null before authentication, and on public routes when authentication is on. */
export function callerIfKnown(request: FastifyRequest): Caller | null {
  return callers.get(request) ?? null;
}

/** The caller of a request. @throws Error if it was not authenticated, as on public routes */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error(`${request.method} ${request.routeOptions.url}: the request has no caller`);
  return caller;
}

/** Parameter decorator: injects the caller of the request. */
export const FromCaller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
