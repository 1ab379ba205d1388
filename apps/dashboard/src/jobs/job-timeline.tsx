import type { AdminJobDetail } from '#contracts';
import { duration, moment } from '../figures/format.js';

const WORDS: Record<AdminJobDetail['timeline'][number]['event'], string> = {
  created: 'Created',
  started: 'First text computed',
  updated: 'Last change',
  finished: 'Finished',
  expires: 'Expires',
};

/** The events of a job, each with its time and the time since the event before. */
export function JobTimeline({ events }: { readonly events: AdminJobDetail['timeline'] }) {
  return (
    <ol class="timeline">
      {events.map(({ at, event }, i) => (
        <li key={event} data-event={event}>
          <b>{WORDS[event]}</b> <time dateTime={new Date(at * 1000).toISOString()}>{moment(at)}</time>
          {i > 0 && <small class="inline">+{duration(at - events[i - 1]!.at)}</small>}
        </li>
      ))}
    </ol>
  );
}
