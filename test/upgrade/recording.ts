import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AuditEntry, HistoryRange, JobObject } from '#contracts';

/** Files of a recording, in `test/upgrade/RELEASE`. */
export const RECORDED = { data: 'appendonly.aof.gz', expected: 'expected.json', model: 'model' } as const;

/** Served names of a recording: the lanes of one name are in one state, so that one data set holds all of them. */
export const NAMES = ['finished', 'queued', 'running', 'receiving', 'paused', 'changed', 'changed-running'] as const;
export type Name = (typeof NAMES)[number];
/** Served from other weights than the recording keeps: whoever restores it serves a replaced model under these names. */
export const CHANGED: readonly Name[] = ['changed', 'changed-running'];

/** A job as the release's own API described it when the recording ended. */
export interface RecordedJob {
  readonly job: JobObject;
  /** Empty where no vectors are compared. */
  readonly texts: readonly string[];
  /** API key that it came with; null: access control was off. */
  readonly key: KeyName | null;
  readonly inputType?: 'query';
  /** Hex SHA-256 of `results?format=f32`, of a final job; else null. */
  readonly sha256: string | null;
  /** Index -> base64 of the vector: two of a final job, else all that are there. */
  readonly rows: Readonly<Record<string, string>>;
  readonly errors: readonly (readonly [index: number, code: string])[];
}

export type KeyName = 'operator' | 'acme' | 'salted' | 'revoked' | 'expired';

/** What one model did in a range of history. */
export interface HistoryTotals {
  readonly texts: number;
  readonly errors: number;
}

/** What the release's own API answered about the data in the recording. */
export interface Recording {
  readonly release: string;
  /** Epoch ms. */
  readonly recordedAt: number;
  /** Keys with more than a minute to live were made to expire then, epoch ms: see `prolong`. */
  readonly expiresAt: number;
  /** Served name -> fingerprint. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<KeyName, { readonly id: string; readonly key: string }>>;
  /** Of a dashboard session, as a browser sends it. */
  readonly cookie: string;
  readonly jobs: Readonly<Record<string, RecordedJob>>;
  /** Id of a job whose record has expired while its tasks are still queued. */
  readonly expiredJob: string;
  /** Newest first. */
  readonly audit: readonly AuditEntry[];
  /** Of the model `finished`. */
  readonly history: Readonly<Record<HistoryRange, HistoryTotals>>;
  /** Pattern of Redis keys -> `type x count`. */
  readonly inventory: Readonly<Record<string, string>>;
}

/** A release's folder in the source tree: recordings are no part of the build. */
export function recordingFolder(release: string): string {
  return fileURLToPath(new URL(`../../../test/upgrade/${release}`, import.meta.url));
}

export async function readRecording(release: string): Promise<Recording> {
  return JSON.parse(await readFile(join(recordingFolder(release), RECORDED.expected), 'utf8')) as Recording;
}
