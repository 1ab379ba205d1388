import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Caller } from '#contracts';
import type { FastifyRequest } from 'fastify';

const callers = new WeakMap<FastifyRequest, Caller>();

/** Notes who a request comes from, once that is known. */
export function setCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** null for a request that nobody asked who it comes from. */
export function callerIfKnown(request: FastifyRequest): Caller | null {
  return callers.get(request) ?? null;
}

/** Who a request comes from. @throws for one that was let through unasked: a public route has no caller */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (caller === undefined)
    throw new Error(`${request.method} ${request.routeOptions.url}: nobody asked for the caller`);
  return caller;
}

/** A handler's parameter: who the request comes from. */
export const FromCaller = createParamDecorator((_: unknown, context: ExecutionContext) =>
  callerOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
