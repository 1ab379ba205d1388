import fc from 'fast-check';
import { embed } from '#contracts';
import { type InputWindow, inputWindows, type WindowLimits } from './input-windows.js';

async function windowsOf(texts: Iterable<string>, limits: WindowLimits): Promise<InputWindow[]> {
  const windows: InputWindow[] = [];
  for await (const window of inputWindows(texts, embed, limits)) windows.push(window);
  return windows;
}

describe('windows of inputs', () => {
  it('hold every input once, in order, within their limits, and tell where they begin', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 12 }), { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 40 }),
        async (texts, most, bytes) => {
          const windows = await windowsOf(texts, { inputs: most, bytes });
          expect(windows.flatMap(({ inputs }) => inputs)).toEqual(texts);
          let from = 0;
          for (const window of windows) {
            expect(window.from).toBe(from);
            from += window.inputs.length;
            expect(window.inputs.length).toBeGreaterThan(0);
            expect(window.inputs.length).toBeLessThanOrEqual(most);
            // The input that fills it is the only one that may pass the limit.
            expect(Buffer.byteLength(window.inputs.slice(0, -1).join(''))).toBeLessThan(bytes);
          }
        },
      ),
    );
  });

  it('weigh inputs as their operation does, whatever they are', async () => {
    const pairs = [1, 2, 3, 4].map((n) => [`question ${n}`, 'answer']);
    const windows: InputWindow[] = [];
    for await (const window of inputWindows(pairs, { bytes: () => 5 }, { inputs: 10, bytes: 10 })) windows.push(window);
    expect(windows).toEqual([
      { from: 0, inputs: pairs.slice(0, 2) },
      { from: 2, inputs: pairs.slice(2) },
    ]);
  });

  it('are not read ahead', async () => {
    let read = 0;
    const endless = function* () {
      for (;;) yield `text ${++read}`;
    };
    const windows = inputWindows(endless(), embed, { inputs: 10, bytes: 1000 });
    await windows.next();
    expect(read).toBe(10);
  });
});
