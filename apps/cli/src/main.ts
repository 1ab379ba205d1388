#!/usr/bin/env node
import { Command, InvalidArgumentError } from 'commander';
import { BootError } from '#contracts';
import { bench, type BenchOptions } from './bench/bench.js';
import { demo, type DemoOptions } from './demo/demo.js';
import { addKeysCommand } from './keys/command.js';
import { terminal } from './terminal.js';
import { up, type UpOptions } from './up.js';

const BENCH_HELP = `
Texts are dictionary entries that no earlier run has sent, so that the shared cache does not answer the first pass.
They wait among the work of others: measure when there is none.

  embedmill bench --url http://gpu-box:8080 --model e5 --texts 50000`;

const program = new Command('embedmill').description('Text embeddings as a queue: REST in, vectors out.');

program
  .command('up')
  .description('run Redis, API and workers on this machine until Ctrl-C')
  .option('--data <folder>', 'where Redis keeps its files', '.embedmill')
  .option('--workers <n>', 'worker processes', count(1, 64), 1)
  .option('--port <port>', 'of the API; 0 for any free one (default: EMBED_PORT, else 8080)', count(0, 65_535))
  .option('--cache-memory <bytes>', 'bound of the shared cache, as 512mb', '512mb')
  .action((options: UpOptions) => up(options, terminal()));

program
  .command('demo')
  .description('embed a dictionary, search in it, and embed it again from the cache')
  .option('--texts <n>', 'how many', count(1000, 200_000), 10_000)
  .option('--verbose', 'show what API and worker write', false)
  .action(async (options: DemoOptions) => {
    if (!(await demo(options, terminal()))) process.exitCode = 130;
  });

program
  .command('bench')
  .description('measure a running deployment through its front door')
  .option('--url <url>', 'of its API', 'http://127.0.0.1:8080')
  .option('--key <key>', 'sent as a bearer token, where something in front of the API asks for one')
  .option('--model <name>', 'a served name (default: the first that is served)')
  .option('--texts <n>', 'of the bulk job', count(100, 1_000_000), 10_000)
  .option('--queries <n>', 'in each row of latencies', count(10, 100_000), 200)
  .addHelpText('after', BENCH_HELP)
  .action(async (options: BenchOptions) => {
    if (!(await bench(options, terminal()))) process.exitCode = 130;
  });

addKeysCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof BootError)) throw error;
  console.error(`embedmill: ${error.message}`);
  process.exitCode = 1;
}

function count(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`must be a whole number from ${min} to ${max}`);
  };
}
