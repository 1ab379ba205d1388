import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { baseUrlOf, EmbedmillClient, type EmbedmillClientOptions } from '#client';
import { nodeFetch } from '#client/node';
import { readClientEnvironment } from '#config';
import { CommandError, EXIT } from './exit-codes.js';

/** Address of a deployment, and the API key for it. */
export interface Connection {
  /** Without a trailing slash. */
  readonly url: string;
  /** Sent as a bearer token; undefined: no key is sent. */
  readonly key: string | undefined;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly key?: string;
  readonly keyFile?: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Adds the options that select a command's deployment. */
export function withConnection(command: Command): Command {
  return command
    .option('--url <url>', `of the API (default: EMBEDMILL_URL, else ${DEFAULT_URL})`)
    .addOption(
      new Option(
        '--key <key>',
        'API key (default: EMBEDMILL_API_KEY); other users of this machine may see it here',
      ).conflicts('keyFile'),
    )
    .option('--key-file <file>', 'file with the API key (default: EMBEDMILL_API_KEY_FILE)');
}

/**
 * Reads the connection from the command line, else from the environment.
 * @throws CommandError when the address is invalid, or the key file cannot be read or does not hold exactly one key
 */
export function connectionOf(options: ConnectionOptions): Connection {
  const environment = readClientEnvironment();
  const keyFile =
    options.keyFile ?? (environment.EMBEDMILL_API_KEY === undefined ? environment.EMBEDMILL_API_KEY_FILE : undefined);
  return {
    url: addressOf(options.url ?? environment.EMBEDMILL_URL ?? DEFAULT_URL),
    key: options.key ?? (keyFile === undefined ? environment.EMBEDMILL_API_KEY : keyIn(keyFile)),
  };
}

/** Whether the command line or the environment names a deployment. */
export function isConnectionGiven(options: ConnectionOptions): boolean {
  return (options.url ?? readClientEnvironment().EMBEDMILL_URL) !== undefined;
}

/** @param options without `retry`, no request is retried: the command reports a failure at once */
export function clientOf(
  connection: Connection,
  options: Pick<EmbedmillClientOptions, 'answerTimeoutMs' | 'retry' | 'signal'> = {},
): EmbedmillClient {
  return new EmbedmillClient({
    baseUrl: connection.url,
    apiKey: connection.key,
    fetch: nodeFetch,
    retry: { patienceMs: 0 },
    ...options,
  });
}

function addressOf(given: string): string {
  try {
    return baseUrlOf(given);
  } catch (error) {
    throw new CommandError(EXIT.usage, `--url ${given} is no address like ${DEFAULT_URL}`, { cause: error });
  }
}

function keyIn(file: string): string {
  let key;
  try {
    key = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new CommandError(EXIT.usage, `the key file cannot be read: ${(error as Error).message}`, { cause: error });
  }
  if (!/^\S+$/.test(key)) throw new CommandError(EXIT.usage, `${file} does not hold one key and nothing else`);
  return key;
}
