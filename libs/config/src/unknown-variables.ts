import { closest, distance } from 'fastest-levenshtein';
import { clientEnvironmentSchema } from './client-environment.js';
import { environmentSchema } from './environment.js';

/** Variables that only docker-compose.yml or the tests read. */
const READ_ELSEWHERE = ['EMBED_PUBLISH', 'EMBED_CHROMIUM'];

/** Removed variables of 0.1.0, and what applies instead. */
const REMOVED: Readonly<Record<string, string>> = {
  EMBED_REDIS_PATIENCE_MS: 'a starting process waits 30 s for Redis',
  EMBED_MAX_OPEN_REQUESTS: 'a key may have 1024 requests open in one API process',
  EMBED_MAX_JOB_INPUTS: 'EMBED_MAX_BODY_BYTES bounds a JSON job',
  EMBED_COALESCE_MS: 'small concurrent requests wait 1 ms for each other',
  EMBED_TASK_TEXTS: 'a task has up to 64 texts',
  EMBED_TASK_BYTES: 'a task has up to 256 KiB of text',
  EMBED_TASK_ATTEMPTS: 'a task is tried 5 times',
  EMBED_MAX_BATCH_ROWS: 'a micro-batch has up to 256 texts; EMBED_TOKEN_BUDGET bounds its tokens',
  EMBED_LOOKAHEAD_TEXTS: 'a worker sorts up to 1024 texts by length',
  EMBED_STALLED_CHECK_MS: 'tasks of lost workers are looked for twice in EMBED_LOCK_MS',
  EMBED_CANARY_PATIENCE_MS: 'a device may finish nothing for 30 s while it owes the self-test an answer',
  EMBED_HEARTBEAT_MS: 'a worker writes its record every 3 s',
};

/** A known name is suggested only if its edit distance is at most this share of the unknown name's length. */
const MAX_DISTANCE = 0.4;

/**
 * One-line warnings about variables with our prefix that nothing reads, so that a misspelt or removed option does not
 * go unnoticed.
 */
export function unknownVariables(source: NodeJS.ProcessEnv = process.env): string[] {
  const known = [...Object.keys(environmentSchema.shape), ...Object.keys(clientEnvironmentSchema.shape)];
  const ours = Object.keys(source).filter((name) => /^EMBED(MILL)?_/.test(name));
  return ours
    .filter((name) => !known.includes(name) && !READ_ELSEWHERE.includes(name))
    .sort()
    .map((name) => {
      const instead = REMOVED[name];
      if (instead !== undefined) return `${name} has been removed and does nothing: ${instead}`;
      const nearest = closest(name, known);
      const isNear = distance(name, nearest) <= MAX_DISTANCE * name.length;
      return `${name} is unknown and does nothing${isNear ? `; did you mean ${nearest}?` : ''}`;
    });
}
