import { computed, signal } from '@preact/signals';
import type { Snapshot } from '#contracts';
import { get } from './http.js';

const STREAM_PATH = '/admin/v1/live';
const SNAPSHOT_PATH = '/admin/v1/snapshot';
/** A stream or a request is considered blocked or broken when nothing has arrived for this time, ms. */
const SILENCE_MS = 6000;
const POLL_MS = 2000;
/** While polling, time until the stream is tried again, ms. */
const STREAM_AGAIN_MS = 30_000;
const RETRY_SECONDS = [1, 2, 4, 8, 15];

/** How the page receives snapshots. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** Server-sent events do not arrive; the page polls snapshots every two seconds. */
  | { readonly kind: 'polling' }
  /** The API does not answer. `retryAt`: epoch ms. */
  | { readonly kind: 'away'; readonly retryAt: number };

export const connection = signal<Connection>({ kind: 'connecting' });
export const snapshot = signal<Snapshot | null>(null);
/** When the last snapshot arrived, by this machine's clock, epoch ms. */
const receivedAt = signal(0);

/** Current time, epoch ms, updated every half second; ages and countdowns are computed from it. */
export const now = signal(Date.now());

/** Seconds since the last snapshot arrived. By this machine's clock alone, since the API's may differ. */
export const snapshotAge = computed(() => Math.max(0, (now.value - receivedAt.value) / 1000));

let stream: EventSource | null = null;
let silence: number | undefined;
let next: number | undefined;
let failures = 0;
let polledSince: number | null = null;
/** Incremented whenever a connection is dropped: responses of an earlier generation are ignored. */
let generation = 0;

/** Starts to receive snapshots, and returns a function that stops it. Sends no requests while the tab is hidden. */
export function listen(): () => void {
  const clock = window.setInterval(() => {
    now.value = Date.now();
  }, 500);
  const visibility = () => (document.hidden ? pause() : connect());
  document.addEventListener('visibilitychange', visibility);
  connect();
  return () => {
    clearInterval(clock);
    document.removeEventListener('visibilitychange', visibility);
    pause();
  };
}

/** Connects now, without waiting for the countdown. */
export function retryNow(): void {
  connect();
}

function connect(): void {
  pause();
  const mine = generation;
  const began = Date.now();
  // A stream that is refused and one that a proxy buffers look the same: nothing arrives.
  stream = new EventSource(STREAM_PATH);
  stream.addEventListener('snapshot', (event) => {
    failures = 0;
    polledSince = null;
    take(JSON.parse(event.data as string) as Snapshot, { kind: 'live' });
    expectMore();
  });
  stream.addEventListener('error', () => {
    if (mine !== generation) return;
    // A stream that has worked for a while has ended normally: the API limits their duration.
    if (connection.value.kind === 'live' && Date.now() - began > POLL_MS) connect();
    else void poll(mine);
  });
  expectMore();

  function expectMore(): void {
    clearTimeout(silence);
    silence = window.setTimeout(() => void poll(mine), SILENCE_MS);
  }
}

async function poll(mine: number): Promise<void> {
  if (mine !== generation) return;
  closeStream();
  clearTimeout(next);
  try {
    const current = await get<Snapshot>(SNAPSHOT_PATH, AbortSignal.timeout(SILENCE_MS));
    if (mine !== generation) return;
    failures = 0;
    polledSince ??= Date.now();
    take(current, { kind: 'polling' });
    if (Date.now() - polledSince > STREAM_AGAIN_MS) {
      polledSince = null;
      connect();
    } else {
      next = window.setTimeout(() => void poll(mine), POLL_MS);
    }
  } catch {
    if (mine !== generation) return;
    const seconds = RETRY_SECONDS[Math.min(failures++, RETRY_SECONDS.length - 1)]!;
    polledSince = null;
    connection.value = { kind: 'away', retryAt: Date.now() + seconds * 1000 };
    next = window.setTimeout(connect, seconds * 1000);
  }
}

function take(current: Snapshot, how: Connection): void {
  receivedAt.value = now.value = Date.now();
  snapshot.value = current;
  if (connection.value.kind !== how.kind) connection.value = how;
}

function pause(): void {
  generation++;
  closeStream();
  clearTimeout(next);
}

function closeStream(): void {
  clearTimeout(silence);
  stream?.close();
  stream = null;
}
