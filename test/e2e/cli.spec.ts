import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC, type Vector } from 'apache-arrow';
import {
  type EmbeddingsResponse,
  type JobList,
  type JobObject,
  type JobResult,
  type ModelObject,
  VERSION,
} from '#contracts';
import { freePort } from '../../apps/cli/src/free-port.js';
import { type CommandResult, startCommand } from '../support/cli.js';
import { Deployment, MODEL } from '../support/deployment.js';
import { BERT_VOCAB_SIZE, POISON_TEXT } from '../support/random-model.js';
import { startRedis } from '../support/redis.js';
import type { Service } from '../support/services.js';
import { until } from '../support/until.js';

const DIMENSIONS = 32;
interface DoctorReport {
  readonly ok: boolean;
  readonly checks: { readonly name: string; readonly status: string }[];
}
const KEY = 'an-admin-key-of-forty-characters-or-more';

let deployment: Deployment;
let api: Service;
let apiEnvironment: Record<string, string>;
const folder = mkdtempSync(join(tmpdir(), 'embedmill-cli-'));

beforeAll(async () => {
  deployment = await Deployment.start({ embeddingRows: BERT_VOCAB_SIZE - 1 });
  apiEnvironment = {
    EMBED_PORT: String(await freePort()),
    EMBED_AUTH: 'on',
    EMBED_ADMIN_KEY: KEY,
    EMBED_MAX_TEXT_BYTES: '4096',
  };
  [api] = await Promise.all([deployment.api(apiEnvironment), deployment.worker()]);
}, 120_000);

afterAll(async () => {
  await deployment.stop();
  rmSync(folder, { recursive: true, force: true });
});

const path = (name: string) => join(folder, name);
const start = (args: readonly string[], environment: Record<string, string> = {}, stdin?: string) =>
  startCommand(args, { EMBEDMILL_URL: api.url, EMBEDMILL_API_KEY: KEY, ...environment }, stdin);
const run = (...args: string[]): Promise<CommandResult> => start(args).ended;

function texts(from: number, count: number): string[] {
  return Array.from({ length: count }, (_, n) => `number ${from + n} of many quick brown foxes`);
}

async function ask<T>(route: string, body?: unknown, status = 200): Promise<T> {
  const response = await fetch(`${api.url}${route}`, {
    headers: { 'authorization': `Bearer ${KEY}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
  });
  expect(response.status).toBe(status);
  return response.json() as Promise<T>;
}

/** From `POST /v1/embeddings`. */
async function vectorsOf(input: readonly string[]): Promise<number[][]> {
  const { data } = await ask<EmbeddingsResponse>('/v1/embeddings', { model: MODEL, input });
  return data.map(({ embedding }) => embedding as number[]);
}

async function jobsSoFar(): Promise<number> {
  let count = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const list: JobList = await ask<JobList>(`/v1/jobs?limit=100${cursor === '' ? '' : `&cursor=${cursor}`}`);
    count += list.data.length;
    cursor = list.next_cursor;
  }
  return count;
}

/** Rows of a `.npy` file of float32 `[rows, DIMENSIONS]`. */
function npyRows(name: string): number[][] {
  const bytes = readFileSync(path(name));
  const start = 10 + bytes.readUInt16LE(8);
  const rows = Number(/'shape': \((\d+), 32\)/.exec(bytes.subarray(0, start).toString('latin1'))?.[1]);
  const floats = new Float32Array(new Uint8Array(bytes.subarray(start)).buffer);
  expect(floats).toHaveLength(rows * DIMENSIONS);
  return Array.from({ length: rows }, (_, n) => [...floats.subarray(n * DIMENSIONS, (n + 1) * DIMENSIONS)]);
}

function stateOf(name: string): { tally: { texts: number }; submitted: unknown[] } {
  return JSON.parse(readFileSync(path(`${name}.embedmill-state`), 'utf8')) as ReturnType<typeof stateOf>;
}

describe('embedmill embed', () => {
  it('writes the same vectors to .npy, .jsonl and .arrow, in the order of the input', async () => {
    const input = texts(0, 1000);
    const expected = await vectorsOf(input);
    writeFileSync(path('a.ndjson'), input.map((text, n) => JSON.stringify({ id: `id-${n}`, text })).join('\n'));
    for (const out of ['a.npy', 'a.jsonl', 'a.arrow']) {
      const { code, stderr, stdout } = await run('embed', path('a.ndjson'), '--out', path(out), '--part-texts', '300');
      expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
      expect(stderr).toMatch(/a\.\w+: 1,000 texts, [\d,]+ texts\/s, \d+ % from the cache\n$/);
    }
    expect(npyRows('a.npy')).toEqual(expected);
    const lines = readFileSync(path('a.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(
      expected.map((embedding, index) => ({ index, id: `id-${index}`, embedding })),
    );
    const table = tableFromIPC(readFileSync(path('a.arrow')));
    const column = (name: string) => Array.from({ length: table.numRows }, (_, n) => table.getChild(name)!.get(n));
    expect(column('id')).toEqual(input.map((_, n) => `id-${n}`));
    expect(column('embedding').map((vector) => [...(vector as Vector)])).toEqual(expected);
    expect(readdirSync(folder).sort()).toEqual(['a.arrow', 'a.jsonl', 'a.ndjson', 'a.npy']);
  });

  it('gives texts that fail a row of NaN and a line in the file of errors', async () => {
    const input = ['good', '', POISON_TEXT, 'long '.repeat(1000), 'longer '.repeat(1000), 'fine'];
    writeFileSync(path('b.txt'), input.join('\n'));
    const { code, stderr } = await run('embed', path('b.txt'), '--out', path('b.npy'));
    expect(stderr).toContain('4 failed');
    expect(code).toBe(3);
    const [good, fine] = await vectorsOf(['good', 'fine']);
    const nan = Array.from({ length: DIMENSIONS }, () => Number.NaN);
    expect(npyRows('b.npy')).toEqual([good, nan, nan, nan, nan, fine]);
    const errors = readFileSync(path('b.npy.errors.jsonl'), 'utf8').trimEnd().split('\n');
    expect(errors.map((line) => JSON.parse(line) as unknown)).toEqual([
      { index: 1, error: { code: 'empty_text', message: 'an empty text' } },
      { index: 2, error: { code: 'inference_failed', message: expect.any(String) as string } },
      { index: 3, error: { code: 'text_too_large', message: expect.stringContaining('more than the 4096') as string } },
      { index: 4, error: { code: 'text_too_large', message: expect.stringContaining('more than the 4096') as string } },
    ]);
  });

  it('killed in the middle, it goes on where it was; another command is refused', async () => {
    const input = texts(10_000, 2000);
    writeFileSync(path('c.txt'), input.join('\n'));
    const command = ['embed', path('c.txt'), '--out', path('c.npy'), '--part-texts', '100'];
    const killed = start(command);
    await until('some parts are written', () => stateOf('c.npy').tally.texts >= 300);
    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(existsSync(path('c.npy'))).toBe(false);
    const { submitted, tally } = stateOf('c.npy');
    expect(tally.texts).toBeLessThan(2000);

    const other = await run(...command, '--dimensions', '8');
    expect(other).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--dimensions was not given and is 8') as string,
    });

    const jobsBefore = await jobsSoFar();
    const { code, stderr } = await run(...command);
    expect(stderr).toContain(`going on after ${tally.texts.toLocaleString('en-US')} texts`);
    expect(code).toBe(0);
    expect((await jobsSoFar()) - jobsBefore).toBe((2000 - tally.texts) / 100 - submitted.length);
    expect(npyRows('c.npy')).toEqual(await vectorsOf(input));
    expect(existsSync(path('c.npy.embedmill-state'))).toBe(false);
  });

  it('waits for an API that is restarted; Ctrl-C leaves what is needed to go on', async () => {
    const input = texts(20_000, 2000);
    writeFileSync(path('d.txt'), input.join('\n'));
    const command = ['embed', path('d.txt'), '--out', path('d.npy'), '--part-texts', '100'];
    const first = start(command);
    await until('a part is written', () => stateOf('d.npy').tally.texts >= 100);
    await api.kill();
    api = await deployment.api(apiEnvironment);
    const written = stateOf('d.npy').tally.texts;
    await until('it goes on', () => stateOf('d.npy').tally.texts > written);
    first.process.kill('SIGINT');
    const interrupted = await first.ended;
    expect(interrupted.stderr).toContain('waiting: nothing answers');
    expect(interrupted.stderr).toContain('the same command goes on from there');
    expect(interrupted.code).toBe(130);

    writeFileSync(path('d.txt'), [...input, 'one more'].join('\n'));
    expect(await run(...command)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the input has changed') as string,
    });
    expect((await run(...command, '--restart')).code).toBe(0);
    expect(npyRows('d.npy')).toEqual(await vectorsOf([...input, 'one more']));
  });

  it('takes standard input, and options of a request', async () => {
    const args = ['embed', '-', '--out', path('e.npy'), '--dimensions', '8', '--normalize', '--quiet'];
    expect(await start(args, {}, 'one\ntwo').ended).toEqual({ code: 0, stdout: '', stderr: '' });
    const floats = new Float32Array(new Uint8Array(readFileSync(path('e.npy')).subarray(128)).buffer);
    expect(floats).toHaveLength(16);
    expect(Math.hypot(...floats.subarray(8))).toBeCloseTo(1, 5);
  });

  it('says with its exit code what is wrong', async () => {
    const args = ['embed', path('b.txt'), '--out', path('f.npy')];
    expect(await start(args, { EMBEDMILL_API_KEY: 'em_wrong_key' }).ended).toMatchObject({ code: 4 });
    expect(await start(args, { EMBEDMILL_API_KEY: '' }).ended).toMatchObject({
      code: 4,
      stderr: `embedmill: ${api.url} answers 401: give a key with --key\n`,
    });
    writeFileSync(path('key'), `${KEY}\n`);
    expect((await start([...args, '--key-file', path('key')], { EMBEDMILL_API_KEY: '' }).ended).code).toBe(3);
    expect(await run(...args, '--url', `http://127.0.0.1:${await freePort()}`)).toMatchObject({ code: 5 });
    expect(await run('embed', path('b.txt'), '--out', path('f.parquet'))).toMatchObject({ code: 2 });
    expect(await run('embed', path('b.txt'))).toMatchObject({ code: 2 });
    expect(await run(...args, '--model', 'none')).toMatchObject({ code: 1 });
  });
});

describe('embedmill jobs', () => {
  it('lists, shows and downloads jobs, cancels and retries them', async () => {
    const { id } = await ask<JobObject>('/v1/jobs', { model: MODEL, input: ['one', POISON_TEXT, 'two'] }, 202);
    const results = await run('jobs', 'results', id);
    expect(results.code).toBe(3);
    const lines = results.stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as JobResult).index)).toEqual([0, 1, 2]);
    expect((await run('jobs', 'results', id, '--out', path('g.npy'))).code).toBe(3);
    const [one, two] = await vectorsOf(['one', 'two']);
    expect(npyRows('g.npy')).toEqual([one, Array.from({ length: DIMENSIONS }, () => Number.NaN), two]);
    expect(readFileSync(path('g.npy.errors.jsonl'), 'utf8')).toContain('inference_failed');

    expect((await run('jobs', 'list', '--state', 'completed', '--limit', '1')).stdout).toMatch(
      new RegExp(`^job .*\\n${id}  completed  ${MODEL}  .*  3 +2 +\\d +1\\n$`),
    );
    expect((await run('jobs', 'show', id)).stdout).toMatch(/^failed +1$/m);
    expect(await run('jobs', 'retry', id)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^${id} is (running|completed); 1 texts are tried again\\n$`)) as string,
    });
    await until('it is tried again', async () => {
      const job = JSON.parse((await run('jobs', 'show', id, '--json')).stdout) as JobObject;
      return job.state === 'completed' && job.counts.failed === 1;
    });
    expect((await run('jobs', 'cancel', id)).stdout).toBe(`${id} is completed already; 2 of 3 texts are done\n`);
    expect(await run('jobs', 'show', 'no-such-job')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('embedmill models', () => {
  it('lists what is served, and compiles what a worker would run', async () => {
    const { environment } = deployment;
    const listed = JSON.parse((await start(['models', 'list', '--json'], environment).ended).stdout) as {
      served: ModelObject[];
    };
    const [served] = listed.served;
    expect(served).toMatchObject({ id: MODEL, dtype: 'fp32', ready_workers: 1 });
    const compiled = await start(['models', 'compile', MODEL], environment).ended;
    expect(compiled.stdout).toContain(`fingerprint ${served!.fingerprint}\n`);
    expect(existsSync(compiled.stdout.trimEnd().split('\n').at(-1)!)).toBe(true);
    const int8 = await start(['models', 'compile', MODEL, '--dtype', 'int8', '--json'], environment).ended;
    const made = JSON.parse(int8.stdout) as { dtype: string; fingerprint: string };
    expect(made.dtype).toBe('int8');
    expect(made.fingerprint).not.toBe(served!.fingerprint);
    expect((await start(['models', 'pull', MODEL], environment).ended).stdout).toContain(`${MODEL}: folder:`);
    expect(await start(['models', 'pull', 'nothing-of-that-name'], environment).ended).toMatchObject({ code: 1 });
  });
});

describe('embedmill doctor', () => {
  const namesOf = (report: DoctorReport, status: string) =>
    report.checks.filter((check) => check.status === status).map(({ name }) => name);

  it('finds a good deployment good', async () => {
    const { code, stdout } = await start(['doctor', '--json'], deployment.environment).ended;
    const report = JSON.parse(stdout) as DoctorReport;
    expect(namesOf(report, 'fail')).toEqual([]);
    expect(namesOf(report, 'warn').filter((name) => name !== 'disk')).toEqual([]);
    expect({ code, ok: report.ok }).toEqual({ code: 0, ok: true });
    expect(namesOf(report, 'ok')).toEqual(
      expect.arrayContaining([
        'node',
        'configuration',
        'queue: eviction',
        'device',
        `model ${MODEL}`,
        'workers',
        'api: key',
      ]),
    );
  });

  it('says what is wrong with a Redis that throws work away, and with a configuration', async () => {
    const redis = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] });
    const environment = { ...deployment.environment, REDIS_URL: redis.url, EMBED_CACHE_REDIS_URL: redis.url };
    const { code, stdout } = await start(['doctor'], environment).ended;
    await redis.stop();
    expect(stdout).toMatch(/^fail +queue: eviction +allkeys-lru\n +-> .*noeviction$/m);
    expect(stdout).toMatch(/^fail +queue: append-only file +off$/m);
    expect(stdout).toMatch(/^warn +cache: instance +the same as the queue$/m);
    expect(stdout).toMatch(/^warn +workers +none$/m);
    expect(code).toBe(1);

    const odd = await start(['doctor'], { ...environment, EMBED_PROT: '1' }).ended;
    expect(odd.stdout).toMatch(/^warn +configuration +EMBED_PROT is unknown .*EMBED_PORT\?$/m);
    const broken = await start(['doctor'], { EMBED_PORT: 'many' }).ended;
    expect(broken.stdout).toMatch(/^fail +configuration +bad configuration: EMBED_PORT=many/m);
    expect(broken.code).toBe(1);
  });
});

it('every command has a help text with an example', async () => {
  const help = (await run('--help')).stdout;
  expect(help).toContain('Exit codes: 0 done');
  const commands = [...help.matchAll(/^ {2}([a-z]+) (?:\[| )/gm)]
    .map(([, name]) => name!)
    .filter((name) => name !== 'help');
  expect(commands.sort()).toEqual(['bench', 'demo', 'doctor', 'embed', 'jobs', 'keys', 'models', 'up']);
  for (const name of commands) expect((await run('help', name)).stdout).toContain(`\n  embedmill ${name}`);
  expect((await run('--version')).stdout).toBe(`${VERSION}\n`);
});
