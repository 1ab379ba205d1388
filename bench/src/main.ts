import { parseArgs } from 'node:util';
import { makeContext } from './context.js';
import { describeMachine } from './machine.js';
import { writePlot } from './plot.js';
import { renderSection, writeReport } from './report.js';
import { keepResult, readResults } from './results.js';
import { SUITES } from './suites/index.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    dry: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !SUITES.some((suite) => suite.name === name));
if (values.help || unknown.length > 0) {
  const names = SUITES.map(({ name, title }) => `  ${name.padEnd(12)} ${title}`).join('\n');
  console.error(`npm run bench [-- SUITE ...] [--runs N] [--scale 0.1] [--dry: write no files]\n\n${names}`);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const context = makeContext({ runs: Number(values.runs), scale: Number(values.scale) });
const machine = describeMachine();
const chosen = SUITES.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const suite of chosen) {
  context.say(`== ${suite.title}`);
  const section = await suite.run(context);
  console.log(`\n${renderSection(section)}\n`);
  if (values.dry) continue;
  const words = [suite.name, ...(values.runs === '5' ? [] : [`--runs ${values.runs}`])];
  if (values.scale !== '1') words.push(`--scale ${values.scale}`);
  await keepResult({
    suite: suite.name,
    command: `npm run bench -- ${words.join(' ')}`,
    date: new Date().toISOString().slice(0, 10),
    runs: context.runs,
    machine,
    section,
  });
}

if (!values.dry) {
  const order = (name: string) => SUITES.findIndex((suite) => suite.name === name);
  const results = (await readResults()).sort((a, b) => order(a.suite) - order(b.suite));
  await writeReport(results);
  await writePlot(results);
}
