import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { baseUrlOf, EmbedmillClient, type EmbedmillClientOptions } from '#client';
import { nodeFetch } from '#client/node';
import { readClientEnvironment } from '#config';
import { CommandError, EXIT } from './exit-codes.js';

/** Where a deployment is, and the key for it. */
export interface Connection {
  /** Without a slash at its end. */
  readonly url: string;
  /** Sent as a bearer token; undefined: none is. */
  readonly key: string | undefined;
}

export interface ConnectionOptions {
  readonly url?: string;
  readonly key?: string;
  readonly keyFile?: string;
}

const DEFAULT_URL = 'http://127.0.0.1:8080';

/** Adds the options that say which deployment a command talks to. */
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
 * What was given on the command line, else in the environment.
 * @throws CommandError for an address that is none, or a key file that cannot be read
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

/** Whether a deployment was named at all. */
export function isConnectionGiven(options: ConnectionOptions): boolean {
  return (options.url ?? readClientEnvironment().EMBEDMILL_URL) !== undefined;
}

/** @param options without `retry` nothing is tried again: the command says at once what is wrong */
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
