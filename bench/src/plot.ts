import { writeFile } from 'node:fs/promises';
import type { Result } from './results.js';
import { median } from './statistics.js';
import type { Figure } from './suite.js';

const FILE = new URL('../../../bench/ratios.svg', import.meta.url);
const ROW = 34;
const LABEL = 800;
const BAR = 320;
const MARGIN = 16;

/** Draws the ratios that have a target as bars, each on its own scale with the target marked. */
export async function writePlot(results: readonly Result[]): Promise<void> {
  const figures = results
    .flatMap(({ section }) => section.figures)
    .filter(({ target, unit }) => target !== undefined && unit === '');
  await writeFile(FILE, drawRatios(figures));
}

/** SVG with one bar for each figure: a whisker from its minimum to its maximum, and a line at its target. */
export function drawRatios(figures: readonly Figure[]): string {
  const width = LABEL + BAR + 90;
  const height = 2 * MARGIN + figures.length * ROW;
  const rows = figures.map((figure, n) => drawRow(figure, MARGIN + n * ROW));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="13">
<rect width="${width}" height="${height}" fill="#ffffff"/>
${rows.join('\n')}
</svg>
`;
}

function drawRow({ name, target, values, decimals = 2 }: Figure, top: number): string {
  const value = median(values);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const goal = target === undefined ? value : 'least' in target ? target.least : target.most;
  const holds = target === undefined || ('least' in target ? value >= goal : value <= goal);
  const scale = BAR / (1.15 * Math.max(most, goal));
  const x = (at: number) => (LABEL + at * scale).toFixed(1);
  const middle = top + ROW / 2;
  return [
    `<text x="${LABEL - 10}" y="${middle + 4}" text-anchor="end" fill="#1f2933">${escape(name)}</text>`,
    `<rect x="${LABEL}" y="${top + 8}" width="${(value * scale).toFixed(1)}" height="${ROW - 16}" fill="${holds ? '#2f7d5b' : '#b4552d'}"/>`,
    `<line x1="${x(least)}" x2="${x(most)}" y1="${middle}" y2="${middle}" stroke="#1f2933" stroke-width="1.5"/>`,
    `<line x1="${x(goal)}" x2="${x(goal)}" y1="${top + 3}" y2="${top + ROW - 3}" stroke="#1f2933" stroke-dasharray="3 2"/>`,
    `<text x="${LABEL + BAR + 10}" y="${middle + 4}" fill="#1f2933">${value.toFixed(decimals)}</text>`,
  ].join('\n');
}

function escape(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
}
