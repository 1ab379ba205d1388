import { duration } from '../figures/format.js';
import { connection, now, retryNow, snapshot, snapshotAge } from '../server/live.js';

/** Warns that the figures may be out of date: the API or one of its Redis servers does not answer. */
export function ConnectionNotice() {
  const state = connection.value;
  if (state.kind === 'away') {
    const seconds = Math.max(0, Math.ceil((state.retryAt - now.value) / 1000));
    return (
      <div class="notice bad" role="alert">
        <p>
          <b>The API does not answer.</b>{' '}
          {snapshot.value === null
            ? 'Nothing is known yet.'
            : `Everything below is ${duration(Math.round(snapshotAge.value))} old.`}{' '}
          {seconds === 0 ? 'Trying …' : `Trying again in ${seconds} s.`}
        </p>
        <button type="button" class="small" onClick={retryNow}>
          Try now
        </button>
      </div>
    );
  }
  const current = snapshot.value;
  if (current?.redis === 'down') {
    return (
      <div class="notice bad" role="alert">
        <p>
          <b>The queue’s Redis does not answer.</b> Requests get 503 until it is back; accepted work is kept. Restart it
          with its data.
        </p>
      </div>
    );
  }
  if (current?.cache === 'down') {
    return (
      <div class="notice warn" role="status">
        <p>
          <b>The cache’s Redis does not answer.</b> Everything works, but texts computed before are computed again.
          Restart it.
        </p>
      </div>
    );
  }
  return null;
}
