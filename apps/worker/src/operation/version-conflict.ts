import { BootError } from '#contracts';
import type { WorkerRecord } from '#contracts';
import type { WorkerRegistry } from '#store';

/** The part of this worker's own record that the check needs. */
export type Self = Pick<WorkerRecord, 'id' | 'startedAt' | 'models'>;

/**
 * Waits until no other worker serves another version of a model under the same name, since queued tasks belong to one
 * version.
 *
 * A conflicting record may be the last one of a killed worker, so it is watched until its next heartbeat (the worker is
 * alive) or until it expires. Of two workers that start at the same time, the one that started later fails.
 * @throws BootError naming the other worker and what to do.
 */
export async function refuseVersionConflict(self: Self, workers: WorkerRegistry, everyMs = 100): Promise<void> {
  const firstSeen = new Map<string, number>();
  for (;;) {
    const others = (await workers.list()).flatMap((other) => {
      const model = disagreement(self, other);
      return model === undefined || !comesFirst(other, self) ? [] : [{ other, model }];
    });
    if (others.length === 0) return;
    for (const { other, model } of others) {
      const seen = firstSeen.get(other.id) ?? other.heartbeatAt;
      firstSeen.set(other.id, seen);
      if (other.heartbeatAt > seen) throw conflict(model, other, self);
    }
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}

function disagreement(self: Self, other: WorkerRecord): string | undefined {
  if (other.id === self.id || other.state === 'draining') return undefined;
  return Object.keys(self.models).find((model) => (other.models[model] ?? self.models[model]) !== self.models[model]);
}

function comesFirst(other: WorkerRecord, self: Self): boolean {
  if (other.state === 'ready' || other.startedAt < self.startedAt) return true;
  return other.startedAt === self.startedAt && other.id < self.id;
}

function conflict(model: string, other: WorkerRecord, self: Self): BootError {
  return new BootError(
    `"${model}" is served in another version (${other.models[model]?.slice(0, 12)}, here ${self.models[model]?.slice(0, 12)}) ` +
      `by worker ${other.id} on ${other.host}, pid ${other.pid}: ` +
      `stop that worker first, set EMBED_DEVICE_MEMORY and maxTokens alike if only the limits of tokens differ, or serve this version under another name with EMBED_MODELS=name=source`,
  );
}
