import fc from 'fast-check';
import { type TextWindow, textWindows } from './text-windows.js';

async function windowsOf(texts: Iterable<string>, limits: { texts: number; bytes: number }): Promise<TextWindow[]> {
  const windows: TextWindow[] = [];
  for await (const window of textWindows(texts, limits)) windows.push(window);
  return windows;
}

describe('windows of texts', () => {
  it('hold every text once, in order, within their limits, and tell where they begin', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 12 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        async (texts, most, bytes) => {
          const windows = await windowsOf(texts, { texts: most, bytes });
          expect(windows.flatMap((window) => window.texts)).toEqual(texts);
          let from = 0;
          for (const window of windows) {
            expect(window.from).toBe(from);
            from += window.texts.length;
            expect(window.texts.length).toBeGreaterThan(0);
            expect(window.texts.length).toBeLessThanOrEqual(most);
            // The text that fills it is the only one that may pass the limit.
            expect(Buffer.byteLength(window.texts.slice(0, -1).join(''))).toBeLessThan(bytes);
          }
        },
      ),
    );
  });

  it('are not read ahead', async () => {
    let read = 0;
    const endless = function* () {
      for (;;) yield `text ${++read}`;
    };
    const windows = textWindows(endless(), { texts: 10, bytes: 1000 });
    await windows.next();
    expect(read).toBe(10);
  });
});
