import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { HISTORY_RANGES, type HistoryRange } from '#contracts';
import { type RedisServer, startRedis } from '../support/redis.js';
import { RECORDED, type Recording, recordingFolder } from './recording.js';

/** Starts a Redis server on a copy of a recording's append-only file. */
export async function restore(recording: Recording): Promise<RedisServer> {
  const server = await startRedis({
    aof: true,
    prepare: async (folder) => {
      const packed = await readFile(join(recordingFolder(recording.release), RECORDED.data));
      const file = 'appendonly.aof.1.base.aof';
      await mkdir(join(folder, 'appendonlydir'));
      await writeFile(join(folder, 'appendonlydir', file), gunzipSync(packed));
      await writeFile(join(folder, 'appendonlydir', 'appendonly.aof.manifest'), `file ${file} seq 1 type b\n`);
    },
  });
  await moveHistory(server.url, recording.recordedAt);
  return server;
}

/**
 * Moves the recorded steps of history to where they would be had the recording just ended: what the API shows ends
 * with the present. The step before the present one, since of that one the API may show nothing yet.
 */
async function moveHistory(url: string, recordedAt: number): Promise<void> {
  const redis = new Redis(url);
  const now = Date.now();
  for (const [range, { stepSeconds }] of Object.entries(HISTORY_RANGES) as [HistoryRange, { stepSeconds: number }][]) {
    const stepOf = (time: number) => Math.floor(time / (stepSeconds * 1000));
    const by = stepOf(now) - 1 - stepOf(recordedAt);
    const steps = (await redis.keys(`em:history:${range}:*`)).map((key) => Number(key.split(':').at(-1)));
    // The latest first: none may take the place of one that has not moved.
    for (const step of steps.sort((a, b) => (by > 0 ? b - a : a - b))) {
      await redis.rename(`em:history:${range}:${step}`, `em:history:${range}:${step + by}`);
    }
  }
  redis.disconnect();
}
