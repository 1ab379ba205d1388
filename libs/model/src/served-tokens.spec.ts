import { BootError } from '#contracts';
import { deviceMemory } from './device-memory.js';
import { servedTokens, type TokenLimits } from './served-tokens.js';

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;

/** Twelve heads, whose scores are held: 48 bytes for each pair of tokens. */
const SQUARE = { perRow: 48, perBatch: 0 };
const MODEL: TokenLimits = {
  source: 'folder:m',
  positions: 32_768,
  asked: undefined,
  said: Infinity,
  attention: SQUARE,
};

function serve(limits: Partial<TokenLimits>, bytes: number, given: boolean): { tokens: number; warnings: string[] } {
  const warnings: string[] = [];
  const tokens = servedTokens({ ...MODEL, ...limits }, { bytes, given }, (warning) => warnings.push(warning));
  return { tokens, warnings };
}

it.each<[string, Partial<TokenLimits>, number, boolean, number]>([
  ['a short model in any memory', { positions: 512 }, 64 * MIB, true, 512],
  ['8,192 of a long one unless more is asked for', {}, 64 * GIB, false, 8192],
  ['all of a long one if memory is given', {}, 64 * GIB, true, 32_768],
  ['what models.json asks for', { asked: 16_384 }, 16 * GIB, false, 16_384],
  ['what its own files say', { said: 2048 }, 64 * GIB, true, 2048],
  ['what models.json asks for, beyond its own files', { said: 2048, asked: 4096 }, GIB, false, 4096],
  ['what fits in the memory given', {}, 4 * GIB, true, 9408],
  ['what fits in the memory of the machine', {}, GIB, false, 4672],
  ['all of a model whose memory is linear', { attention: { perRow: 0, perBatch: 0 } }, MIB, true, 32_768],
  ['less where a bias is shared by all rows', { attention: { perRow: 48, perBatch: 48 } }, GIB, false, 3328],
])('serves %s', (_name, limits, bytes, given, tokens) => {
  expect(serve(limits, bytes, given).tokens).toBe(tokens);
});

it('says in one line what is served instead of what, and by which variable', () => {
  expect(serve({ positions: 512 }, GIB, false).warnings).toEqual([]);
  expect(serve({}, 64 * GIB, false).warnings).toEqual([
    'folder:m: the model has 32768 positions; Embedmill serves 8192, unless more are asked for by EMBED_DEVICE_MEMORY ' +
      'or by maxTokens in models.json',
  ]);
  expect(serve({}, GIB, true).warnings).toEqual([
    'folder:m: the model takes 32768 tokens; Embedmill serves 4672: attention of one text of 32768 tokens needs ' +
      '49152 MiB, and has 1024 MiB (EMBED_DEVICE_MEMORY)',
  ]);
});

it('refuses in one line what is asked for and does not fit, and a model of which nearly nothing fits', () => {
  expect(() => serve({ asked: 16_384 }, GIB, false)).toThrow(
    new BootError(
      'folder:m: maxTokens is 16384, but attention of one text of 16384 tokens needs 12288 MiB, and has 1024 MiB ' +
        '(EMBED_DEVICE_MEMORY)',
    ),
  );
  expect(() => serve({ attention: { perRow: 128, perBatch: 0 } }, MIB, true)).toThrow(
    new BootError('folder:m: attention of one text of 128 tokens needs 2.0 MiB, and has 1.0 MiB (EMBED_DEVICE_MEMORY)'),
  );
  expect(() => serve({ asked: 40_000 }, 64 * GIB, true)).toThrow(/maxTokens 40000 is more than its 32768 positions/);
});

it('takes a share of the machine, or a stated number on other devices', () => {
  expect(deviceMemory('cpu', 5 * MIB)).toEqual({ bytes: 5 * MIB, given: true, provider: 'cpu' });
  expect(deviceMemory('cuda:0')).toEqual({ bytes: 8 * GIB, given: false, provider: 'cuda' });
  const { bytes, given } = deviceMemory('cpu');
  expect(given).toBe(false);
  expect(bytes).toBeGreaterThan(0);
  if (bytes >= GIB) expect(bytes % GIB).toBe(0);
});
