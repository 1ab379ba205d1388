#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { EmbedmillError } from '#client';
import { BootError, VERSION } from '#contracts';
import { bench, type BenchOptions } from './bench/bench.js';
import { connectionOf, type ConnectionOptions, withConnection } from './connection.js';
import { demo, type DemoOptions } from './demo/demo.js';
import { addDoctorCommand } from './doctor/doctor-command.js';
import { addEmbedCommand } from './embed/embed-command.js';
import { CommandError, EXIT } from './exit-codes.js';
import { addJobsCommand } from './jobs/jobs-command.js';
import { addKeysCommand } from './keys/command.js';
import { addModelsCommand } from './models/models-command.js';
import { wholeNumber } from './option-values.js';
import { commandErrorOf } from './service-errors.js';
import { terminal } from './terminal.js';
import { up, type UpOptions } from './up.js';

const HELP = `
Exit codes: 0 done; 1 an error; 2 bad usage; 3 done, but some texts failed; 4 the key is missing or refused;
5 the service cannot be reached; 130 interrupted.

Every command has examples: embedmill help embed`;

const UP_HELP = `
  embedmill up
  embedmill up --workers 2 --port 9000 --data /var/lib/embedmill --cache-memory 4gb`;

const DEMO_HELP = `
  embedmill demo --texts 50000`;

const BENCH_HELP = `
Texts are dictionary entries that no earlier run has sent, so that the shared cache does not answer the first pass.
They wait among the work of others: measure when there is none.

  embedmill bench --url http://gpu-box:8080 --model e5 --texts 50000`;

const program = new Command('embedmill')
  .description('Text embeddings as a queue: REST in, vectors out.')
  .version(VERSION)
  .exitOverride()
  .showHelpAfterError('(embedmill help COMMAND shows how)')
  .addHelpText('after', HELP);

program
  .command('up')
  .description('run Redis, API and workers on this machine until Ctrl-C')
  .option('--data <folder>', 'where Redis keeps its files', '.embedmill')
  .option('--workers <n>', 'worker processes', wholeNumber(1, 64), 1)
  .option('--port <port>', 'of the API; 0 for any free one (default: EMBED_PORT, else 8080)', wholeNumber(0, 65_535))
  .option('--cache-memory <bytes>', 'bound of the shared cache, as 512mb', '512mb')
  .addHelpText('after', UP_HELP)
  .action((options: UpOptions) => up(options, terminal()));

addEmbedCommand(program);
addJobsCommand(program);
addModelsCommand(program);
addDoctorCommand(program);
addKeysCommand(program);

program
  .command('demo')
  .description('embed a dictionary, search in it, and embed it again from the cache')
  .option('--texts <n>', 'how many', wholeNumber(1000, 200_000), 10_000)
  .option('--verbose', 'show what API and worker write', false)
  .addHelpText('after', DEMO_HELP)
  .action(async (options: DemoOptions) => {
    if (!(await demo(options, terminal()))) process.exitCode = EXIT.interrupted;
  });

withConnection(program.command('bench').description('measure a running deployment through its REST API'))
  .option('--model <name>', 'a served name (default: the first that is served)')
  .option('--texts <n>', 'of the bulk job', wholeNumber(100, 1_000_000), 10_000)
  .option('--queries <n>', 'in each row of latencies', wholeNumber(10, 100_000), 200)
  .addHelpText('after', BENCH_HELP)
  .action(async (options: Omit<BenchOptions, 'connection'> & ConnectionOptions) => {
    const { model, queries, texts } = options;
    const done = await bench({ connection: connectionOf(options), model, queries, texts }, terminal());
    if (!done) process.exitCode = EXIT.interrupted;
  });

// The reader of a pipe may close it early, for example `head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Prints an expected error, unless Commander has, and returns the exit code. Rethrows an unexpected error. */
function exitCodeOf(thrown: unknown): number {
  // Commander throws for help and version, too, with exit code 0.
  if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const error = thrown instanceof EmbedmillError ? commandErrorOf(thrown) : thrown;
  if (!(error instanceof CommandError || error instanceof BootError)) throw error;
  console.error(`embedmill: ${error.message}`);
  return error instanceof CommandError ? error.exitCode : EXIT.error;
}
