import { Body, Controller, Delete, Get, HttpCode, Post, Req, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiKeys, Authenticator, type DashboardSession, requireScope, Sessions } from '#access';
import { type Session, signInSchema } from '#contracts';
import { parse } from '../http/parse.js';
import { Audit } from './audit.js';
import { setCaller } from './caller.js';
import { isOfAnotherSite } from './origins.js';
import { crossSite, tooManySignIns } from './refusals.js';
import { SESSION_COOKIE, sessionCookie } from './session-cookie.js';

const MOST_SIGN_INS_A_MINUTE = 10;
const RETRY_SECONDS = 60;

/** Dashboard sign-in and sign-out with an admin key; the browser keeps a session cookie, not the key. */
@ApiExcludeController()
@Controller('dashboard/session')
export class SessionController {
  readonly #authenticator: Authenticator;
  readonly #sessions: Sessions;
  readonly #keys: ApiKeys;
  readonly #audit: Audit;

  constructor(authenticator: Authenticator, sessions: Sessions, keys: ApiKeys, audit: Audit) {
    this.#authenticator = authenticator;
    this.#sessions = sessions;
    this.#keys = keys;
    this.#audit = audit;
  }

  @Get()
  async look(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Session> {
    void reply.header('cache-control', 'no-store');
    const token = request.cookies[SESSION_COOKIE];
    const session = token === undefined ? null : await this.#sessions.get(token);
    const caller = session && (await this.#authenticator.callerOfKeyId(session.keyId).catch(() => null));
    return this.#view(caller && session);
  }

  @Post()
  @HttpCode(200)
  async signIn(
    @Body() body: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Session> {
    if (isOfAnotherSite(request.headers, [])) throw crossSite();
    if ((await this.#sessions.attempt(request.ip)) > MOST_SIGN_INS_A_MINUTE) throw tooManySignIns(RETRY_SECONDS);
    const caller = requireScope(await this.#authenticator.callerOfKey(parse(signInSchema, body).key), 'admin');
    const { token, session } = await this.#sessions.create(caller.keyId ?? '');
    void reply.setCookie(SESSION_COOKIE, token, sessionCookie(request)).header('cache-control', 'no-store');
    setCaller(request, caller);
    await this.#audit.record(request, 'session.create', 'dashboard', request.ip);
    return this.#view(session);
  }

  @Delete()
  @HttpCode(204)
  async signOut(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<void> {
    const token = request.cookies[SESSION_COOKIE];
    if (token !== undefined) await this.#sessions.remove(token);
    void reply.clearCookie(SESSION_COOKIE, { path: '/' });
  }

  async #view(session: DashboardSession | null): Promise<Session> {
    return {
      access_control: this.#authenticator.on,
      signed_in: session !== null,
      key_name: session === null ? null : ((await this.#keys.get(session.keyId))?.name ?? session.keyId),
      csrf_token: session?.csrfToken ?? null,
    };
  }
}
