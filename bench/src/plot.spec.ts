import { drawRatios } from './plot.js';

it('draws a bar for each figure, its target, and the colour of whether it was reached', () => {
  const svg = drawRatios([
    { name: 'ours / theirs', unit: '', values: [2.1, 2.5, 2.3], target: { least: 2 } },
    { name: 'wait <95 %', unit: '', values: [1.5], target: { most: 1 } },
  ]);
  expect(svg).toContain('ours / theirs');
  expect(svg).toContain('>2.30<');
  expect(svg).toContain('wait &lt;95 %');
  const colours = [...svg.matchAll(/<rect x="\d+" [^>]*fill="(#\w+)"/g)].map(([, colour]) => colour);
  expect(colours).toHaveLength(2);
  expect(colours[0]).not.toBe(colours[1]);
});
