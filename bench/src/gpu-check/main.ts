/**
 * `npm run gpu-check`: fidelity and speed of three families on a GPU, compared with the CPU. Weights are random, of real
 * sizes, made by the rule of the goldens: nothing is downloaded.
 *
 * Exit codes: 0 all is well, 1 a vector is wrong or a model does not run, 2 wrong arguments, 3 there is no such device.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { BootError, type Dtype } from '#contracts';
import { parseDevice, probeDevice } from '#inference';
import { loadModel } from '#model';
import { writeCheckpoint } from './checkpoint.js';
import { families, type Family } from './families.js';
import { measure } from './measure.js';

const WRONG = 1;
const USAGE = 2;
const NO_DEVICE = 3;

/** Smallest cosine with the CPU's fp32. */
const LEAST: Readonly<Record<'fp32' | 'fp16', number>> = { fp32: 0.9999, fp16: 0.999 };

interface Line {
  readonly family: string;
  readonly dtype: Dtype;
  readonly cosine: string;
  readonly tokensPerSecond: string;
  readonly verdict: 'ok' | 'wrong' | 'not served' | 'failed';
  readonly note: string;
}

const options = readOptions();
try {
  await probeDevice(parseDevice(options.device));
} catch (error) {
  console.error(`gpu-check: ${reasonOf(error)}`);
  process.exit(NO_DEVICE);
}
const folder = await mkdtemp(join(tmpdir(), 'embedmill-gpu-check-'));
const lines: Line[] = [];
try {
  for (const family of families(options.small)) lines.push(...(await check(family)));
} finally {
  await rm(folder, { recursive: true, force: true });
}
console.log(`\n${table(lines)}`);
if (lines.some(({ verdict }) => verdict === 'wrong' || verdict === 'failed')) process.exitCode = WRONG;

function readOptions(): { device: string; small: boolean } {
  try {
    const { values } = parseArgs({
      options: { device: { type: 'string', default: 'cuda:0' }, small: { type: 'boolean', default: false } },
    });
    parseDevice(values.device);
    return values;
  } catch (error) {
    console.error(`usage: npm run gpu-check [-- --device cuda:0|webgpu|cpu] [--small]; ${reasonOf(error)}`);
    process.exit(USAGE);
  }
}

/** Both precisions of a family, after the CPU's vectors. */
async function check(family: Family): Promise<Line[]> {
  const source = join(folder, family.name);
  const load = {
    vocabulary: Number(family.config.vocab_size),
    ...(options.small ? { rows: 8, tokens: 32, forMs: 300 } : { rows: 64, tokens: 128, forMs: 5000 }),
  };
  const compiled = (device: string, dtype: Dtype) =>
    loadModel(
      { name: family.name, source },
      { modelDir: join(folder, 'graphs'), device, dtype, hfEndpoint: 'http://127.0.0.1:1' },
    );
  console.error(`${family.name}: weights …`);
  await writeCheckpoint(family, source);
  console.error(`${family.name}: cpu, fp32 …`);
  const expected = await measure(await compiled('cpu', 'fp32'), 'cpu', load, false);
  const found: Line[] = [];
  for (const dtype of ['fp32', 'fp16'] as const) {
    console.error(`${family.name}: ${options.device}, ${dtype} …`);
    const line = { family: family.name, dtype, cosine: '–', tokensPerSecond: '–' };
    try {
      const measured = await measure(await compiled(options.device, dtype), options.device, load, true);
      const least = Math.min(...measured.vectors.map((vector, row) => cosine(vector, expected.vectors[row]!)));
      found.push({
        ...line,
        cosine: least.toFixed(7),
        tokensPerSecond: Math.round(measured.tokensPerSecond).toLocaleString('en'),
        verdict: least >= LEAST[dtype] ? 'ok' : 'wrong',
        note: '',
      });
    } catch (error) {
      const refused = error instanceof BootError && /is not served/.test(error.message);
      found.push({ ...line, verdict: refused ? 'not served' : 'failed', note: reasonOf(error) });
    }
  }
  await rm(source, { recursive: true });
  await rm(join(folder, 'graphs'), { recursive: true });
  return found;
}

function table(rows: readonly Line[]): string {
  const cells = [
    ['family', 'device', 'dtype', 'smallest cosine to cpu fp32', 'tokens/s', 'verdict'],
    ...rows.map((row) => [row.family, options.device, row.dtype, row.cosine, row.tokensPerSecond, row.verdict]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const text = cells.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  );
  const notes = rows.filter(({ note }) => note !== '').map(({ family, dtype, note }) => `${family}, ${dtype}: ${note}`);
  return [...text, ...notes].join('\n');
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, place) => sum + value * y[place]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!.slice(0, 300);
}
