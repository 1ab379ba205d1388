import { BootError } from '#contracts';
import { accessControl } from './access-control.js';
import { cacheTtlSeconds } from './cache-lifetime.js';
import { readClientEnvironment } from './client-environment.js';
import { readEnvironment } from './environment.js';
import { tracesOn } from './traces.js';

function refusalOf(source: Record<string, string>): string {
  try {
    readEnvironment(source);
  } catch (error) {
    expect(error).toBeInstanceOf(BootError);
    return (error as BootError).message;
  }
  throw new Error('it was not refused');
}

it('has a default for everything, and takes an empty variable for none', () => {
  const defaults = readEnvironment({});
  expect(defaults).toMatchObject({
    REDIS_URL: 'redis://127.0.0.1:6379',
    EMBED_MODELS: [{ name: 'all-MiniLM-L6-v2', source: 'all-MiniLM-L6-v2' }],
    EMBED_HOST: '127.0.0.1',
    EMBED_PORT: 8080,
    EMBED_CORS_ORIGINS: [],
    EMBED_LOCK_MS: 10_000,
  });
  expect(readEnvironment({ EMBED_PORT: '', EMBED_MODELS: '', EMBED_DTYPE: '', REDIS_URL: undefined })).toEqual(
    defaults,
  );
});

it('is told of every variable at fault in one line, and shows no secret', () => {
  const message = refusalOf({
    EMBED_PORT: '70000',
    EMBED_DEVICE: 'tpu',
    EMBED_ADMIN_KEY: 'short-secret',
    REDIS_URL: 'http://user:secret@127.0.0.1',
  });
  for (const name of ['EMBED_PORT=70000: ', 'EMBED_DEVICE=tpu: ', 'EMBED_ADMIN_KEY: ', 'REDIS_URL: ']) {
    expect(message).toContain(name);
  }
  expect(message).not.toContain('secret');
  expect(message).not.toContain('\n');
});

it.each<[string, number | null]>([
  ['1048576', 1024 ** 2],
  ['512MiB', 512 * 1024 ** 2],
  ['2048 KiB', 2 * 1024 ** 2],
  ['8GiB', 8 * 1024 ** 3],
  ['1048575', null],
  ['8GB', null],
  ['1.5GiB', null],
  ['-1', null],
  ['much', null],
  ['99999999GiB', null],
])('reads EMBED_DEVICE_MEMORY=%s', (text, bytes) => {
  if (bytes === null) {
    expect(refusalOf({ EMBED_DEVICE_MEMORY: text })).toMatch(/EMBED_DEVICE_MEMORY=.*: must be a whole number of bytes/);
  } else {
    expect(readEnvironment({ EMBED_DEVICE_MEMORY: text }).EMBED_DEVICE_MEMORY).toBe(bytes);
  }
});

it.each([
  ['m', [{ name: 'm', source: 'm' }]],
  ['org/m=./folder, b = x=y,', null],
  [
    'a=hub/a@main, b',
    [
      { name: 'a', source: 'hub/a@main' },
      { name: 'b', source: 'b' },
    ],
  ],
  ['a=', null],
  ['bge-m3:latest=BAAI/bge-m3', [{ name: 'bge-m3:latest', source: 'BAAI/bge-m3' }]],
  [':latest=BAAI/bge-m3', null],
  ['a,a=b', null],
  [',', null],
])('reads %j as models', (text, models) => {
  if (models === null) expect(refusalOf({ EMBED_MODELS: text })).toContain('EMBED_MODELS=');
  else expect(readEnvironment({ EMBED_MODELS: text }).EMBED_MODELS).toEqual(models);
});

it('reads origins, and refuses addresses of pages', () => {
  const { EMBED_CORS_ORIGINS: origins } = readEnvironment({ EMBED_CORS_ORIGINS: 'https://a.example, http://b:8080' });
  expect(origins).toEqual(['https://a.example', 'http://b:8080']);
  expect(refusalOf({ EMBED_CORS_ORIGINS: 'https://a.example/page' })).toContain('write https://app.example');
});

it.each([
  ['127.0.0.1', 'auto', false],
  ['localhost', 'auto', false],
  ['::1', 'auto', false],
  ['0.0.0.0', 'auto', true],
  ['10.0.0.1', 'auto', true],
  ['0.0.0.0', 'off', false],
  ['127.0.0.1', 'on', true],
])('on %s with EMBED_AUTH=%s, whether keys are asked for: %s', (EMBED_HOST, EMBED_AUTH, on) => {
  expect(accessControl(readEnvironment({ EMBED_HOST, EMBED_AUTH }))).toMatchObject({ on });
});

it('lets cache entries end only in a Redis that evicts nothing', () => {
  const ttl = (source: Record<string, string>) => cacheTtlSeconds(readEnvironment(source));
  expect(ttl({ EMBED_JOB_TTL_SECONDS: '60' })).toBe(60);
  expect(ttl({ REDIS_URL: 'redis://a', EMBED_CACHE_REDIS_URL: 'redis://a', EMBED_JOB_TTL_SECONDS: '60' })).toBe(60);
  expect(ttl({ REDIS_URL: 'redis://a', EMBED_CACHE_REDIS_URL: 'redis://b' })).toBeNull();
});

it('traces where there is a collector, unless that is forbidden', () => {
  const on = (source: Record<string, string>) => tracesOn(readEnvironment(source));
  expect(on({})).toBe(false);
  expect(on({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318' })).toBe(true);
  expect(on({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://c:4318/v1/traces' })).toBe(true);
  expect(on({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://c:4318', OTEL_SDK_DISABLED: 'True' })).toBe(false);
});

it('reads what clients need, and nothing else', () => {
  expect(readClientEnvironment({ EMBEDMILL_URL: 'http://a', EMBEDMILL_API_KEY: '', PATH: '/bin' })).toEqual({
    EMBEDMILL_URL: 'http://a',
  });
});
