import { mkdir, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withFileLock } from './file-lock.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('lets one at a time work, each in its turn', async () => {
  const path = join(folder, 'thing');
  let working = 0;
  const most: number[] = [];
  const results = await Promise.all(
    [1, 2, 3].map((n) =>
      withFileLock(path, async () => {
        most.push(++working);
        await stat(folder);
        working--;
        return n;
      }),
    ),
  );
  expect(results).toEqual([1, 2, 3]);
  expect(most).toEqual([1, 1, 1]);
});

it('is free again after work that failed', async () => {
  const path = join(folder, 'thing');
  await expect(withFileLock(path, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withFileLock(path, () => Promise.resolve('done'))).toBe('done');
});

it('takes over what a process that died has left', async () => {
  const path = join(folder, 'thing');
  await mkdir(`${path}.held`);
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(`${path}.held`, longAgo, longAgo);
  expect(await withFileLock(path, () => Promise.resolve('done'))).toBe('done');
});

it('goes on when the lock is lost under way', async () => {
  const path = join(folder, 'thing');
  const work = async () => {
    await rm(`${path}.held`, { recursive: true });
    return 'done';
  };
  expect(await withFileLock(path, work)).toBe('done');
});

it('does not wait for a folder that is not there', async () => {
  await expect(withFileLock(join(folder, 'no', 'thing'), () => Promise.resolve())).rejects.toThrow(/ENOENT/);
});
