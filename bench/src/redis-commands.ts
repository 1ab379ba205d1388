import { Redis } from 'ioredis';

/** Number of calls of one Redis command. */
export interface CommandCount {
  readonly command: string;
  readonly calls: number;
}

/** Counts the commands that several servers execute, including those that scripts call. */
export class RedisCommands {
  readonly #clients: Readonly<Record<string, Redis>>;

  private constructor(clients: Readonly<Record<string, Redis>>) {
    this.#clients = clients;
  }

  /** Starts to count. @param urls URL of each server, by name */
  static async count(urls: Readonly<Record<string, string>>): Promise<RedisCommands> {
    const clients = Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, new Redis(url)]));
    await Promise.all(Object.values(clients).map((client) => client.config('RESETSTAT')));
    return new RedisCommands(clients);
  }

  /** Stops counting. @returns counts by server name, the most frequent command first */
  async end(): Promise<Readonly<Record<string, readonly CommandCount[]>>> {
    const counts = await Promise.all(
      Object.entries(this.#clients).map(async ([name, client]) => {
        const counted = parse(await client.info('commandstats'));
        client.disconnect();
        return [name, counted] as const;
      }),
    );
    return Object.fromEntries(counts);
  }
}

/** Parses lines of the form `cmdstat_config|resetstat:calls=1,usec=…`. */
function parse(info: string): CommandCount[] {
  const own = new Set(['info', 'config|resetstat']);
  return [...info.matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)]
    .map(([, command, calls]) => ({ command: command!, calls: Number(calls) }))
    .filter(({ command }) => !own.has(command))
    .sort((a, b) => b.calls - a.calls);
}
