import { type ChainableCommander, Cluster, Command, type Redis } from 'ioredis';
import type { RedisClient } from './client.js';

type Argument = string | number | Buffer;

/** `['hset', key, field, value]`, `['getrangeBuffer', key, 0, 9]`, `['publish', channel, message]`. */
export type RedisCommand = [name: keyof ChainableCommander, ...args: Argument[]];

/** Cluster errors which say that a command has not run but may succeed later or on another node. */
const NOT_YET = /^(MOVED|ASK|TRYAGAIN|CLUSTERDOWN) /;

/**
 * Runs commands in one pipeline and returns their results in order. On a cluster it runs one pipeline per slot in
 * parallel, so only commands of the same slot run in order; a command without a key, such as PUBLISH, joins the slot of
 * the command before it. Not a transaction.
 * @throws the first error in order; other commands may have run
 */
export async function exec(redis: RedisClient, commands: readonly RedisCommand[]): Promise<unknown[]> {
  if (commands.length === 0) return [];
  const replies = redis instanceof Cluster ? await bySlot(redis, commands) : await send(redis, commands);
  return replies.map(([error, result]) => {
    if (error) throw error;
    return result;
  });
}

type Reply = [error: Error | null, result?: unknown];

async function send(redis: Redis | Cluster, commands: readonly RedisCommand[]): Promise<Reply[]> {
  return (await redis.pipeline(commands as RedisCommand[]).exec()) ?? [];
}

async function bySlot(cluster: Cluster, commands: readonly RedisCommand[]): Promise<Reply[]> {
  const groups = new Map<number | null, number[]>();
  let slot: number | null = null;
  for (const [n, command] of commands.entries()) {
    slot = slotOf(command) ?? slot;
    const group = groups.get(slot);
    if (group) group.push(n);
    else groups.set(slot, [n]);
  }
  const replies: Reply[] = [];
  await Promise.all(
    [...groups.values()].map(async (group) => {
      const [only, second] = group;
      if (only !== undefined && second === undefined) {
        replies[only] = await alone(cluster, commands[only]!);
        return;
      }
      const answers = await send(
        cluster,
        group.map((n) => commands[n]!),
      );
      for (const [at, n] of group.entries()) {
        let reply = answers[at] ?? [new Error('no reply')];
        // While a slot is being moved, its keys are spread over two nodes, but a pipeline goes to one node only.
        if (reply[0] && NOT_YET.test(reply[0].message)) reply = await alone(cluster, commands[n]!);
        replies[n] = reply;
      }
    }),
  );
  return replies;
}

/** Reads strings, in the order of the keys, null where there is none; one MGET on a single server. */
export async function getStrings(redis: RedisClient, keys: readonly string[]): Promise<(Buffer | null)[]> {
  if (keys.length === 0) return [];
  if (!(redis instanceof Cluster)) return redis.mgetBuffer([...keys]);
  return (await exec(
    redis,
    keys.map((key) => ['getBuffer', key]),
  )) as (Buffer | null)[];
}

/** Sets strings by key; one MSET on a single server. */
export async function setStrings(
  redis: RedisClient,
  entries: readonly (readonly [key: string, value: Buffer])[],
): Promise<void> {
  if (entries.length === 0) return;
  if (redis instanceof Cluster)
    await exec(
      redis,
      entries.map(([key, value]) => ['set', key, value]),
    );
  else await redis.mset(entries.flat());
}

/** Runs one command outside a pipeline, so that ioredis follows redirections to the node that has its key. */
async function alone(cluster: Cluster, [name, ...args]: RedisCommand): Promise<Reply> {
  const methods = cluster as unknown as Record<string, (...args: Argument[]) => Promise<unknown>>;
  try {
    return [null, await methods[name]!(...args)];
  } catch (error) {
    return [error as Error];
  }
}

/** The slot of a command's keys, by ioredis's own table of key positions; null when it has no key. */
function slotOf([name, ...args]: RedisCommand): number | null {
  return new Command(name.replace(/Buffer$/, ''), args).getSlot();
}
