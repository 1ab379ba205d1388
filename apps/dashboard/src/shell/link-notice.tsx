import { duration } from '../figures/format.js';
import { link, now, retryNow, snapshot, snapshotAge } from '../server/live.js';

/** What the reader must know before believing any figure: the API is away, or one of its Redis servers is. */
export function LinkNotice() {
  const state = link.value;
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
  const seen = snapshot.value;
  if (seen?.redis === 'down') {
    return (
      <div class="notice bad" role="alert">
        <p>
          <b>The queue’s Redis does not answer.</b> Requests get 503 until it is back; accepted work is kept. Start it
          again, with its data.
        </p>
      </div>
    );
  }
  if (seen?.cache === 'down') {
    return (
      <div class="notice warn" role="status">
        <p>
          <b>The cache’s Redis does not answer.</b> Everything works, and more is computed than need be. Start it again.
        </p>
      </div>
    );
  }
  return null;
}
