import { ApiKeys, newKeyOf, viewKey } from '#access';
import { readEnvironment } from '#config';
import { type ApiKeyObject, BootError, Keys, type NewApiKey } from '#contracts';
import { awaitRedis, connectRedis, readRedisTls } from '#store';
import { clientOf, connectionOf } from '../connection.js';
import type { Terminal } from '../terminal.js';

/** Maximum wait for Redis, ms. */
const REDIS_PATIENCE_MS = 30_000;

/** Where keys are managed: through the API at `url`, or, without `url`, in the queue's Redis directly. */
export interface KeysTarget {
  readonly url?: string;
  readonly keyFile?: string;
}

interface KeyRing {
  create(wanted: NewApiKey): Promise<ApiKeyObject>;
  list(): Promise<ApiKeyObject[]>;
  revoke(id: string): Promise<ApiKeyObject>;
}

/** Creates a key. Only the key goes to standard output, so that it can be piped; the rest goes to standard error. */
export async function createKey(wanted: NewApiKey, target: KeysTarget, terminal: Terminal): Promise<void> {
  const made = await withKeyRing(target, (ring) => ring.create(wanted));
  console.error(`${made.name} (${made.id}), tenant ${made.tenant}, may ${made.scopes.join(', ')}. Shown once:`);
  terminal.say(made.key);
}

export async function listKeys(
  { json, ...target }: KeysTarget & { readonly json: boolean },
  terminal: Terminal,
): Promise<void> {
  const keys = await withKeyRing(target, (ring) => ring.list());
  if (json) {
    terminal.say(JSON.stringify(keys, null, 2));
    return;
  }
  if (keys.length === 0) terminal.say('There are no keys. `embedmill keys create --name NAME` makes one.');
  for (const key of keys) {
    const used = key.last_used_at === null ? 'never used' : `used ${day(key.last_used_at)}`;
    terminal.say(
      [key.id, stateOf(key).padEnd(8), key.tenant.padEnd(12), key.scopes.join(',').padEnd(24), used, key.name].join(
        '  ',
      ),
    );
  }
}

export async function revokeKey(id: string, target: KeysTarget, terminal: Terminal): Promise<void> {
  const key = await withKeyRing(target, (ring) => ring.revoke(id));
  terminal.say(`${key.name} (${key.id}) is revoked: within seconds no process takes it any more.`);
}

async function withKeyRing<T>(target: KeysTarget, use: (ring: KeyRing) => Promise<T>): Promise<T> {
  if (target.url !== undefined) return use(clientOf(connectionOf(target)).admin.keys);
  const environment = readEnvironment();
  const redis = connectRedis(environment.REDIS_URL, 'worker', 'embedmill-cli', { tls: readRedisTls(environment) });
  try {
    await awaitRedis(redis, REDIS_PATIENCE_MS);
    const store = new ApiKeys(redis, new Keys(environment.EMBED_KEY_PREFIX));
    return await use({
      create: async (wanted) => {
        const { record, key } = await store.create(newKeyOf(wanted));
        return viewKey(record, key);
      },
      list: async () => (await store.list()).map((record) => viewKey(record)),
      revoke: async (id) => {
        const record = await store.revoke(id);
        if (record === null) throw new BootError(`there is no key with the id "${id}"`);
        return viewKey(record);
      },
    });
  } finally {
    redis.disconnect();
  }
}

function stateOf({ expires_at: expires, revoked_at: revoked }: ApiKeyObject): string {
  if (revoked !== null) return 'revoked';
  return expires !== null && expires * 1000 <= Date.now() ? 'expired' : 'active';
}

function day(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10);
}
