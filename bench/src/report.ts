import { writeFile } from 'node:fs/promises';
import type { Result } from './results.js';
import { median, spread } from './statistics.js';
import type { Figure, Section, Table } from './suite.js';

const FILE = new URL('../../../bench/RESULTS.md', import.meta.url);

/** Writes `bench/RESULTS.md` from all results, in the given order. */
export async function writeReport(results: readonly Result[]): Promise<void> {
  const figures = results.flatMap(({ section }) => section.figures).filter(({ target }) => target !== undefined);
  const parts = [
    '# Results',
    [
      'Written by `npm run bench`; every section says with which command, on which machine and when.',
      'Ratios are formed within one run; shown are the median over the runs and (min..max).',
      'Client, API, Redis and workers share the cores of one machine.',
    ].join('\n'),
    '![The main ratios](ratios.svg)',
    figures.length === 0 ? '' : renderTable(summary(figures)),
    ...results.map(renderResult),
  ];
  await writeFile(FILE, `${parts.filter((part) => part !== '').join('\n\n')}\n`);
}

/** One section as Markdown; also printed when its suite has run. */
export function renderSection({ title, about, figures, tables, notes = [] }: Section): string {
  const own = figures.length === 0 ? [] : [renderTable(summary(figures))];
  return [`## ${title}`, about, ...own, ...tables.map(renderTable), ...notes].join('\n\n');
}

function renderResult({ command, date, machine, runs, section }: Result): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const where = `\`${command}\`, ${date}, ${runs} runs; ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}; ${versions.join(', ')}.`;
  return `${renderSection(section)}\n\n${where}`;
}

function summary(figures: readonly Figure[]): Table {
  return {
    title: '',
    columns: ['figure', 'wanted', 'measured', ''],
    rows: figures.map((figure) => [figure.name, wanted(figure), measured(figure), verdict(figure)]),
  };
}

function measured({ values, unit, decimals = 2 }: Figure): string {
  return `${spread(values, decimals)}${unit === '' ? '' : ` ${unit}`}`;
}

function wanted({ target, unit }: Figure): string {
  if (target === undefined) return '';
  const value =
    'least' in target ? `≥ ${target.least.toLocaleString('en-US')}` : `≤ ${target.most.toLocaleString('en-US')}`;
  return `${value}${unit === '' ? '' : ` ${unit}`}`;
}

function verdict({ target, values }: Figure): string {
  if (target === undefined) return '';
  const holds = 'least' in target ? median(values) >= target.least : median(values) <= target.most;
  return holds ? 'reached' : '**not reached**';
}

function renderTable({ title, columns, rows }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const table = [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n');
  return title === '' ? table : `**${title}**\n\n${table}`;
}
