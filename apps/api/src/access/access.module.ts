import { type DynamicModule, Module } from '@nestjs/common';
import { type Environment, Keys } from '#contracts';
import { ApiKeys, AuditLog, Authenticator, RateWindows, Sessions } from '#store';
import { Connections } from '../redis.module.js';
import { Audit } from '../audit/audit.js';
import { OpenRequests } from '../limits/open-requests.js';
import { RateLimits } from '../limits/rate-limits.js';
import { KeysController } from './keys.controller.js';
import { SessionController } from './session.controller.js';
import { SESSION_SECONDS } from './session-cookie.js';

/** What limits of rate are counted over, ms. */
const RATE_WINDOW_MS = 60_000;

/** Who may do what: keys, sessions, and the book of what operators did. */
@Module({})
export class AccessModule {
  static for(environment: Environment): DynamicModule {
    const providers = [
      {
        provide: ApiKeys,
        useFactory: ({ command }: Connections, keys: Keys) => new ApiKeys(command, keys),
        inject: [Connections, Keys],
      },
      {
        provide: Sessions,
        useFactory: ({ command }: Connections, keys: Keys) =>
          new Sessions(command, keys, { ttlSeconds: SESSION_SECONDS }),
        inject: [Connections, Keys],
      },
      {
        provide: AuditLog,
        useFactory: ({ command }: Connections, keys: Keys) => new AuditLog(command, keys),
        inject: [Connections, Keys],
      },
      {
        provide: Authenticator,
        useFactory: (keys: ApiKeys) => new Authenticator(keys, environment),
        inject: [ApiKeys],
      },
      { provide: OpenRequests, useFactory: () => new OpenRequests(environment.EMBED_MAX_OPEN_REQUESTS) },
      {
        provide: RateLimits,
        useFactory: ({ command }: Connections, keys: Keys) =>
          new RateLimits(new RateWindows(command, keys, RATE_WINDOW_MS), {
            requests: environment.EMBED_RATE_REQUESTS_PER_MINUTE,
            tokens: environment.EMBED_RATE_TOKENS_PER_MINUTE,
          }),
        inject: [Connections, Keys],
      },
      {
        provide: Audit,
        useFactory: (log: AuditLog, keys: ApiKeys) => new Audit(log, keys),
        inject: [AuditLog, ApiKeys],
      },
    ];
    return {
      module: AccessModule,
      global: true,
      controllers: [SessionController, KeysController],
      providers,
      exports: providers.map(({ provide }) => provide),
    };
  }
}
