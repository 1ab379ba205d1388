import fc from 'fast-check';
import { SegmentMissingError, type SegmentStore } from './segment-store.js';

/** A store of the test's own, empty at first. */
export interface SegmentStoreUnderTest {
  readonly store: SegmentStore;
  /** Another one on the same place, as another process has it. */
  reopen(): Promise<SegmentStore>;
  stop(): Promise<void>;
}

const TEXT = Buffer.from('0123456789');

/** What every segment store promises. */
export function itKeepsSegments(name: string, start: () => Promise<SegmentStoreUnderTest>): void {
  describe(`${name} keeps segments`, () => {
    let under: SegmentStoreUnderTest;
    let store: SegmentStore;

    beforeEach(async () => {
      under = await start();
      ({ store } = under);
    });
    afterEach(() => under.stop());

    const write = (segment: string, bytes: Uint8Array = TEXT) => store.write(segment, inPieces(bytes));
    const isThere = async (segment: string) => [
      await store.size(segment),
      (await collect(store.list(''))).includes(segment),
    ];

    it('whole, however their bytes come, for other processes too', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
          fc.uuid(),
          async (pieces, id) => {
            await store.write(`jobs/${id}`, given(pieces));
            const whole = Buffer.concat(pieces);
            const reader = await under.reopen();
            expect(await bytesOf(reader.read(`jobs/${id}`))).toEqual(whole);
            expect(await reader.size(`jobs/${id}`)).toBe(whole.length);
          },
        ),
        { numRuns: 20 },
      );
    });

    it('of more bytes than come in one piece', async () => {
      const large = Buffer.alloc(3_000_000, 'segment ');
      await store.write('large', inPieces(large, 100_000));
      expect((await bytesOf(store.read('large'))).equals(large)).toBe(true);
      expect((await bytesOf(store.read('large', 1_000_001, 2_999_999))).equals(large.subarray(1_000_001, -1))).toBe(
        true,
      );
    });

    it('and reads any range of them, as far as it exists', async () => {
      await write('digits');
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 12 }), fc.nat({ max: 12 }), async (from, to) => {
          expect((await bytesOf(store.read('digits', from, to))).toString()).toBe(
            TEXT.toString().slice(from, Math.max(from, to)),
          );
        }),
        { numRuns: 60 },
      );
      expect((await bytesOf(store.read('digits', 7))).toString()).toBe('789');
      expect(await bytesOf(store.read('digits', 10))).toHaveLength(0);
    });

    it('with nothing in them', async () => {
      await write('empty', new Uint8Array());
      expect(await store.size('empty')).toBe(0);
      expect(await bytesOf(store.read('empty'))).toHaveLength(0);
      expect(await collect(store.list(''))).toEqual(['empty']);
    });

    it('and says which are missing, before the first byte', async () => {
      await write('there');
      for (const missing of ['none', 'there/none', 'ther', 'none/of/them']) {
        const reading = store.read(missing)[Symbol.asyncIterator]();
        await expect(reading.next()).rejects.toThrow(SegmentMissingError);
        await expect(bytesOf(store.read(missing, 1, 2))).rejects.toThrow(SegmentMissingError);
        expect(await store.size(missing)).toBeNull();
      }
      await expect(bytesOf(store.read('none'))).rejects.toThrow('there is no segment "none"');
    });

    it('and lists them by the beginning of their names', async () => {
      const all = ['a/1', 'a/2', 'a/b/3', 'ab', 'ab-4', 'b', 'jobs/job_5/0.rows'];
      for (const one of all) await write(one);
      const listed = async (prefix: string) => (await collect(store.list(prefix))).sort();
      expect(await listed('')).toEqual(all);
      expect(await listed('a')).toEqual(['a/1', 'a/2', 'a/b/3', 'ab', 'ab-4']);
      expect(await listed('a/')).toEqual(['a/1', 'a/2', 'a/b/3']);
      expect(await listed('a/b')).toEqual(['a/b/3']);
      expect(await listed('jobs/job_5/0.rows')).toEqual(['jobs/job_5/0.rows']);
      for (const nothing of ['c', 'a/3', 'jobs/job_5/0.rows/', '../', '/', '.'])
        expect(await listed(nothing)).toEqual([]);
    });

    it('and lists more of them than come in one page', async () => {
      const names = Array.from({ length: 1005 }, (_, n) => `many/${n}`);
      for (let from = 0; from < names.length; from += 50) {
        await Promise.all(names.slice(from, from + 50).map((one) => write(one, TEXT.subarray(0, 1))));
      }
      expect((await collect(store.list('many/'))).sort()).toEqual(names.toSorted());
    });

    it('until they are removed, and none beside them', async () => {
      for (const one of ['a/1', 'a/11', 'b']) await write(one);
      await store.remove('a/1');
      await store.remove('a/1');
      await store.remove('none');
      await store.remove('a');
      expect(await isThere('a/1')).toEqual([null, false]);
      await expect(bytesOf(store.read('a/1'))).rejects.toThrow(SegmentMissingError);
      expect((await collect((await under.reopen()).list(''))).sort()).toEqual(['a/11', 'b']);
      await write('a/1', TEXT.subarray(0, 3));
      expect(await store.size('a/1')).toBe(3);
    });

    it('and lets go of one that is not read to its end', async () => {
      await store.write('large', inPieces(Buffer.alloc(1_000_000, 1), 50_000));
      for await (const piece of store.read('large')) {
        expect(piece.length).toBeGreaterThan(0);
        break;
      }
      await store.remove('large');
      expect(await isThere('large')).toEqual([null, false]);
    });

    it('of which nobody sees any before all of it is there', async () => {
      let goOn!: () => void;
      const gate = new Promise<void>((resolve) => (goOn = resolve));
      let writing!: Promise<void>;
      await new Promise<void>((half) => {
        async function* slowly(): AsyncGenerator<Uint8Array> {
          yield TEXT.subarray(0, 5);
          half();
          await gate;
          yield TEXT.subarray(5);
        }
        writing = store.write('slow', slowly());
      });
      expect(await isThere('slow')).toEqual([null, false]);
      await expect(bytesOf(store.read('slow'))).rejects.toThrow(SegmentMissingError);
      goOn();
      await writing;
      expect(await isThere('slow')).toEqual([10, true]);
      expect(await bytesOf(store.read('slow'))).toEqual(TEXT);
    });

    it('but never a part of one whose bytes broke off', async () => {
      const broken = new Error('the source broke off');
      async function* breaking(): AsyncGenerator<Uint8Array> {
        yield TEXT.subarray(0, 5);
        throw broken;
      }
      await expect(store.write('broken', breaking())).rejects.toBe(broken);
      expect(await isThere('broken')).toEqual([null, false]);
      expect(await collect((await under.reopen()).list(''))).toEqual([]);
      await write('broken');
      expect(await bytesOf(store.read('broken'))).toEqual(TEXT);
      // What was there before stays.
      await expect(store.write('broken', breaking())).rejects.toBe(broken);
      expect(await bytesOf(store.read('broken'))).toEqual(TEXT);
    });

    it('and takes the same bytes again, also from several at once', async () => {
      await write('twice');
      await write('twice');
      await Promise.all(Array.from({ length: 5 }, () => write('at-once')));
      for (const one of ['twice', 'at-once']) expect(await bytesOf(store.read(one))).toEqual(TEXT);
      expect((await collect(store.list(''))).sort()).toEqual(['at-once', 'twice']);
    });

    it.each(['a', 'A-_.9', 'job_1/0-64.rows', Array.from({ length: 8 }, () => 'x'.repeat(63)).join('/')])(
      'under a name such as %s',
      async (good) => {
        await write(good);
        expect(await bytesOf(store.read(good))).toEqual(TEXT);
        expect(await collect(store.list(''))).toEqual([good]);
      },
    );

    it.each([
      '',
      '/',
      '/a',
      'a/',
      'a//b',
      '.',
      '..',
      '../a',
      'a/../b',
      '.a',
      'a/.b',
      'a b',
      'ä',
      'a\0',
      'a\\b',
      'a%2fb',
    ])('and refuses %j as a name', async (bad) => {
      await expect(write(bad)).rejects.toThrow(RangeError);
      await expect(bytesOf(store.read(bad))).rejects.toThrow(RangeError);
      await expect(store.size(bad)).rejects.toThrow(RangeError);
      await expect(store.remove(bad)).rejects.toThrow(RangeError);
      expect(await collect(store.list(''))).toEqual([]);
    });

    it('and refuses names that are too long', async () => {
      await expect(write(Array.from({ length: 10 }, () => 'x'.repeat(63)).join('/'))).rejects.toThrow(RangeError);
    });

    it('and says what it is', () => {
      expect(store.type).toMatch(/^[a-z][a-z0-9]*$/);
    });
  });
}

async function* given(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

async function* inPieces(bytes: Uint8Array, size = 3): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function bytesOf(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await collect(pieces));
}

async function collect<T>(all: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of all) found.push(one);
  return found;
}
