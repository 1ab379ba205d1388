import fc from 'fast-check';
import { embed } from '#contracts';
import { cutTasks } from './cut-tasks.js';

it('keeps every input with its positions, in order, within the limits', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.string({ unit: 'grapheme' }), fc.array(fc.nat(), { minLength: 1 }))),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 40 }),
      (pairs, maxInputs, maxBytes) => {
        const placed = pairs.map(([input, positions]) => ({ input, positions }));
        const tasks = cutTasks(placed, embed, { maxInputs, maxBytes });
        expect(tasks.flatMap((task) => task.inputs)).toEqual(placed.map(({ input }) => input));
        expect(tasks.flatMap((task) => task.positions)).toEqual(placed.map(({ positions }) => positions));
        for (const task of tasks) {
          expect(task.inputs.length).toBeGreaterThan(0);
          expect(task.inputs.length).toBeLessThanOrEqual(maxInputs);
          expect(task.positions).toHaveLength(task.inputs.length);
          const bytes = task.inputs.reduce<number>((sum, input) => sum + Buffer.byteLength(input as string), 0);
          expect(bytes <= maxBytes || task.inputs.length === 1).toBe(true);
        }
      },
    ),
  );
});

it('weighs inputs as their operation does', () => {
  const placed = [1, 2, 3, 4].map((input) => ({ input, positions: [input] }));
  const tasks = cutTasks(placed, { bytes: (input) => 10 * (input as number) }, { maxInputs: 64, maxBytes: 60 });
  expect(tasks.map(({ inputs }) => inputs)).toEqual([[1, 2, 3], [4]]);
});
