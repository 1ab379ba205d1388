import { type Command, InvalidArgumentError, Option } from 'commander';
import { type NewApiKey, newApiKeySchema, SCOPES } from '#contracts';
import { CommandError, EXIT } from '../exit-codes.js';
import { terminal } from '../terminal.js';
import type { KeysTarget } from './keys.js';

const HELP = `
Without --url it works on the queue's Redis itself (REDIS_URL), so that the first key can be made.

  embedmill keys create --name indexer
  embedmill keys create --name ops --scopes admin --expires 30d
  embedmill keys create --name search --tenant shop --requests-per-minute 600 --tokens-per-minute 1000000
  embedmill keys list
  embedmill keys revoke kQ3vT0aBcD12
  embedmill keys list --url https://embed.example.com --key-file ./admin.key`;

const UNITS = { m: 60, h: 3600, d: 86_400 } as const;

interface CreateOptions extends KeysTarget {
  readonly name: string;
  readonly tenant?: string;
  readonly scopes?: string[];
  readonly expires?: number;
  readonly requestsPerMinute?: number;
  readonly tokensPerMinute?: number;
  readonly cacheSalt?: string;
}

/** `embedmill keys create|list|revoke`. */
export function addKeysCommand(program: Command): void {
  const keys = program.command('keys').description('make, list and revoke API keys').addHelpText('after', HELP);
  const to = (command: Command) =>
    command
      .option('--url <url>', 'of an API, whose admin interface is asked instead of Redis')
      .addOption(new Option('--key-file <file>', 'that holds an admin key for it (default: EMBEDMILL_API_KEY)'));

  to(keys.command('create'))
    .description('make a key; it is shown once')
    .requiredOption('--name <name>', 'what people know it by')
    .option('--tenant <tenant>', 'whose jobs it sees', 'default')
    .addOption(
      new Option(
        '--scopes <scopes>',
        `what it may do, comma-separated: ${SCOPES.join(', ')} (default: embed,jobs)`,
      ).argParser((text) => text.split(',')),
    )
    .option('--expires <duration>', 'as 90m, 12h or 30d (default: never)', seconds)
    .option('--requests-per-minute <n>', 'limit', Number)
    .option('--tokens-per-minute <n>', 'limit', Number)
    .option('--cache-salt <text>', 'share cache entries only with keys of the same salt')
    .action(async (options: CreateOptions) =>
      (await import('./keys.js')).createKey(wanted(options), options, terminal()),
    );
  to(keys.command('list'))
    .description('keys, newest first, without their secrets')
    .option('--json', 'for machines', false)
    .action(async (options: KeysTarget & { json: boolean }) =>
      (await import('./keys.js')).listKeys(options, terminal()),
    );
  to(keys.command('revoke').argument('<id>', 'as `keys list` shows it'))
    .description('refuse a key from now on')
    .action(async (id: string, options: KeysTarget) => (await import('./keys.js')).revokeKey(id, options, terminal()));
}

/** @throws CommandError that names the invalid option */
function wanted(options: CreateOptions): NewApiKey {
  const parsed = newApiKeySchema.safeParse({
    name: options.name,
    tenant: options.tenant,
    scopes: options.scopes,
    expires_in_seconds: options.expires,
    requests_per_minute: options.requestsPerMinute,
    tokens_per_minute: options.tokensPerMinute,
    cache_salt: options.cacheSalt,
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CommandError(EXIT.usage, `${issue?.path.join('.')}: ${issue?.message}`);
}

function seconds(text: string): number {
  const [, amount, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  if (amount === undefined) throw new InvalidArgumentError('must be a duration, as 90m, 12h or 30d');
  return Number(amount) * UNITS[unit as keyof typeof UNITS];
}
