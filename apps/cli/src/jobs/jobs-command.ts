import { type Command, Option } from 'commander';
import { type JobState, jobStateSchema } from '#contracts';
import { clientOf, connectionOf, type ConnectionOptions, withConnection } from '../connection.js';
import { wholeNumber } from '../option-values.js';
import { terminal } from '../terminal.js';
import { cancelJobs, listJobs, retryJob, showJob } from './jobs.js';

const HELP = `
  embedmill jobs list --state running
  embedmill jobs show JOB --json
  embedmill jobs results JOB --out vectors.npy
  embedmill jobs results JOB | jq .index
  embedmill jobs retry JOB --url https://embed.example.com --key-file ~/.embedmill-key
  embedmill jobs cancel JOB ANOTHER`;

interface ListOptions extends ConnectionOptions {
  readonly state?: JobState;
  readonly model?: string;
  readonly limit: number;
  readonly json: boolean;
}

type ShowOptions = ConnectionOptions & { readonly json: boolean };

/** `embedmill jobs list|show|cancel|retry|results`. */
export function addJobsCommand(program: Command): void {
  const jobs = program.command('jobs').description('look at jobs, cancel, retry, download').addHelpText('after', HELP);
  const add = (usage: string, description: string) => withConnection(jobs.command(usage).description(description));

  add('list', 'jobs, newest first')
    .addOption(new Option('--state <state>', 'only those').choices(jobStateSchema.options))
    .option('--model <name>', 'only its jobs')
    .option('--limit <n>', 'at most so many', wholeNumber(1, 100_000), 20)
    .option('--json', 'for machines', false)
    .action((options: ListOptions) => listJobs(clientOf(connectionOf(options)), options, terminal()));

  add('show <job>', 'state, counts, rate and estimate of a job')
    .option('--json', 'for machines', false)
    .action((id: string, options: ShowOptions) =>
      showJob(clientOf(connectionOf(options)), id, options.json, terminal()),
    );

  add('cancel <jobs...>', 'cancel what is left of jobs').action((ids: string[], options: ConnectionOptions) =>
    cancelJobs(clientOf(connectionOf(options)), ids, terminal()),
  );

  add('retry <job>', 'try the failed texts of a job again').action((id: string, options: ConnectionOptions) =>
    retryJob(clientOf(connectionOf(options)), id, terminal()),
  );

  add('results <job>', 'vectors of a job: NDJSON on standard output, or a file; a running job is waited for')
    .option('--out <file>', '.npy, .jsonl or .arrow; texts that failed are listed in FILE.errors.jsonl')
    .action(async (id: string, options: ConnectionOptions & { readonly out?: string }) => {
      const { saveResults } = await import('./save-results.js');
      process.exitCode = await saveResults(connectionOf(options), id, options.out);
    });
}
