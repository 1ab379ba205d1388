import type { Command } from 'commander';
import { connectionOf, type ConnectionOptions, isConnectionGiven, withConnection } from '../connection.js';
import { terminal } from '../terminal.js';

const HELP = `
Looks at Node, configuration, both Redis, workers, device, models and disk as API and workers on this machine would see
them, and, with --url or EMBEDMILL_URL, at an API. Exit code 1 when something fails; warnings are none.

  REDIS_URL=redis://queue:6379 embedmill doctor
  embedmill doctor --url https://embed.example.com --key-file ~/.embedmill-key
  embedmill doctor --json | jq '.checks[] | select(.status != "ok")'`;

/** `embedmill doctor`. */
export function addDoctorCommand(program: Command): void {
  withConnection(program.command('doctor').description('find out what is wrong with a deployment'))
    .option('--json', 'for machines', false)
    .addHelpText('after', HELP)
    .action(async (options: ConnectionOptions & { readonly json: boolean }) => {
      const { doctor } = await import('./doctor.js');
      const connection = isConnectionGiven(options) ? connectionOf(options) : null;
      process.exitCode = await doctor(connection, options.json, terminal());
    });
}
