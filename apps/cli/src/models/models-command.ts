import { type Command, Option } from 'commander';
import { dtypeSchema } from '#contracts';
import { type ConnectionOptions, withConnection } from '../connection.js';
import { EXIT } from '../exit-codes.js';
import { terminal } from '../terminal.js';
import type { LoadOptions } from './models.js';

const HELP = `
A name is one of EMBED_MODELS, or a source as there: a folder, a name in models.json, an npm package, a hub id. Files lie
in EMBED_MODEL_DIR, where workers look for them.

  embedmill models check Alibaba-NLP/gte-modernbert-base
  embedmill models list --url http://gpu-box:8080
  embedmill models pull BAAI/bge-small-en-v1.5
  embedmill models pull BAAI/bge-large-zh-v1.5@main --dtype fp16
  embedmill models compile all-MiniLM-L6-v2 --dtype int8`;

/** `embedmill models check|list|pull|compile`. */
export function addModelsCommand(program: Command): void {
  const models = program
    .command('models')
    .description('check and list models, download and compile them ahead of time')
    .addHelpText('after', HELP);
  const withLoading = (command: Command) =>
    command
      .addOption(
        new Option('--dtype <dtype>', 'numbers (default: EMBED_DTYPE, else by device)').choices(dtypeSchema.options),
      )
      .option('--device <device>', 'cpu, webgpu, cuda or cuda:N (default: EMBED_DEVICE)')
      .option('--json', 'for machines', false);

  withConnection(models.command('list').description('models that a deployment serves, and those in EMBED_MODEL_DIR'))
    .option('--json', 'for machines', false)
    .action(async (options: ConnectionOptions & { readonly json: boolean }) =>
      (await import('./models.js')).listModels(options, terminal()),
    );
  withLoading(
    models.command('check <name>').description('whether a model can run, and how, from its small files'),
  ).action(async (name: string, options: LoadOptions) => {
    const { checkNamed } = await import('./check-named.js');
    if (!(await checkNamed(name, options, terminal()))) process.exitCode = EXIT.error;
  });
  withLoading(models.command('pull <name>').description('download what a worker would')).action(
    async (name: string, options: LoadOptions) => (await import('./models.js')).pullNamed(name, options, terminal()),
  );
  withLoading(models.command('compile <name>').description('make the graph that a worker would run')).action(
    async (name: string, options: LoadOptions) => (await import('./models.js')).compileNamed(name, options, terminal()),
  );
}
