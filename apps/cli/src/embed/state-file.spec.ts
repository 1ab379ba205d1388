import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbedState, requireSame, StateFile } from './state-file.js';

const STATE: EmbedState = {
  version: 1,
  input: { bytes: 10, mtimeMs: 1.5, head: 'ab' },
  options: { '--model': 'm', '--dimensions': null },
  fingerprint: 'f',
  dimensions: 4,
  tally: { texts: 2, failed: 1, cached: 0, tokens: 9 },
  inputEnd: 5,
  output: { rows: 2, bytes: 160, batches: [[8, 16, 32]] },
  errorBytes: 12,
  submitted: [{ first: 2, texts: 3, end: 9, jobId: 'j', refused: [[1, { code: 'c', message: 'm' }]] }],
};

describe('StateFile', () => {
  const folder = mkdtempSync(join(tmpdir(), 'embedmill-state-'));
  const file = new StateFile(join(folder, 'out.npy.embedmill-state'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is null when there is none, and what was written afterwards', async () => {
    expect(await file.read()).toBeNull();
    await file.write({ ...STATE, inputEnd: 1 });
    await file.write(STATE);
    expect(await file.read()).toEqual(STATE);
    expect(readdirSync(folder)).toEqual(['out.npy.embedmill-state']);
    await file.remove();
    expect(await file.read()).toBeNull();
  });

  it('says so when it cannot be used', async () => {
    for (const content of ['{"version":', '{"version":2}']) {
      writeFileSync(file.path, content);
      await expect(file.read()).rejects.toThrow('of another version or damaged; --restart starts over');
    }
  });
});

describe('requireSame', () => {
  const check = (changes: Partial<EmbedState>) => () => requireSame(STATE, { ...STATE, ...changes }, 'out.state');

  it('lets the same command go on', () => {
    expect(check({ options: { '--model': 'm' } })).not.toThrow();
  });

  it('names what has changed', () => {
    expect(check({ options: { '--model': 'n', '--dimensions': 2 } })).toThrow(
      'out.state is of an interrupted run that this one cannot go on with: --model was m and is n; ' +
        '--dimensions was not given and is 2. Repeat the command as it was, or start over with --restart',
    );
    expect(check({ input: { bytes: 11, mtimeMs: 1.5, head: 'ab' } })).toThrow('the input has changed');
    expect(check({ fingerprint: 'g' })).toThrow('the model has been replaced');
  });
});
