import { type Command, Option } from 'commander';
import type { NewJob } from '#client';
import { connectionOf, type ConnectionOptions, withConnection } from '../connection.js';
import { wholeNumber } from '../option-values.js';
import { INPUT_FORMATS, type InputFormat } from './text-records.js';

interface Options extends ConnectionOptions {
  readonly out: string;
  readonly model?: string;
  readonly inputType?: NewJob['input_type'];
  readonly promptName?: NewJob['prompt_name'];
  readonly instruction?: NewJob['instruction'];
  readonly truncate?: NewJob['truncate'];
  readonly dimensions?: number;
  readonly normalize?: boolean;
  readonly priority?: NewJob['priority'];
  readonly format?: InputFormat;
  readonly field?: string;
  readonly column?: string;
  readonly id?: string;
  readonly partTexts: number;
  readonly patience: number;
  readonly restart: boolean;
  readonly quiet: boolean;
}

const HELP = `
The input's name says its format, --format anything else: one text a line; NDJSON (.ndjson, .jsonl) of strings, or of
objects with a text under "text" or "input"; .csv and .tsv with a header. With .gz at its end it is gzipped.
The output's name says the format: .npy, .jsonl, .arrow (or .feather).

Interrupted, by whatever, the same command goes on where it stopped. Texts without a vector are rows of NaN in .npy,
null elsewhere, and listed in OUT.errors.jsonl; the exit code is 3 then.

  embedmill embed texts.txt --out vectors.npy
  embedmill embed articles.ndjson.gz --field body --id slug --out articles.arrow --input-type document
  embedmill embed reviews.csv --column review --out reviews.jsonl --url https://embed.example.com --key-file ~/.embedmill-key
  cut -f2 log.tsv | embedmill embed - --out log.npy --model e5 --dimensions 256`;

/** `embedmill embed`. */
export function addEmbedCommand(program: Command): void {
  const command = program
    .command('embed')
    .description('embed a file of texts into a file of vectors, through a deployment')
    .argument('<file>', 'texts; - for standard input')
    .requiredOption('--out <file>', 'where the vectors go');
  withConnection(command)
    .option('--model <name>', 'a served name (default: the first that is served)')
    .option('--input-type <type>', 'what the texts are, query or document: puts the prompt of the model before each')
    .addOption(
      new Option('--prompt-name <name>', 'prompt of the model before each text; none for none').conflicts('inputType'),
    )
    .addOption(
      new Option('--instruction <text>', 'the task in your own words, for models with instructions').conflicts(
        'promptName',
      ),
    )
    .addOption(
      new Option(
        '--truncate <side>',
        'where a text over the limit is cut; error refuses it (default: as the model says)',
      ).choices(['end', 'start', 'middle', 'error']),
    )
    .option('--dimensions <n>', 'keep the first so many floats', wholeNumber(1, 1_000_000))
    .option('--normalize', 'make vectors of length 1 (default: as the model says)')
    .option('--no-normalize', 'leave their length as it is')
    .addOption(new Option('--priority <priority>', 'lane of the jobs (default: normal)').choices(['normal', 'high']))
    .addOption(new Option('--format <format>', 'of the input').choices(INPUT_FORMATS))
    .addOption(new Option('--field <name>', 'member of NDJSON objects that is the text').conflicts('column'))
    .option('--column <name>', 'column of CSV and TSV that is the text')
    .option('--id <name>', 'member or column that names a text, for .jsonl and .arrow (default: id)')
    .option('--part-texts <n>', 'texts of one job', wholeNumber(1, 1_000_000), 20_000)
    .option('--patience <seconds>', 'how long the service may be away', wholeNumber(0, 86_400), 600)
    .option('--restart', 'start over instead of going on with an interrupted run', false)
    .option('--quiet', 'no progress', false)
    .addHelpText('after', HELP)
    .action(async (input: string, options: Options) => {
      // Commands load their modules when they run, so that other commands start quickly.
      const { embed } = await import('./embed.js');
      process.exitCode = await embed({
        ...options,
        input,
        connection: connectionOf(options),
        fields: { text: options.field ?? options.column, id: options.id },
        patienceMs: 1000 * options.patience,
      });
    });
}
