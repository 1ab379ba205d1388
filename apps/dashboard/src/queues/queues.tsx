import { useState } from 'preact/hooks';
import type { Lane, LaneView, QueueAction } from '#contracts';
import { AuditLog } from '../audit/audit.js';
import { count, duration } from '../figures/format.js';
import { LANES_IN_ORDER } from '../figures/lanes.js';
import { LaneName } from '../parts/lane-name.js';
import { Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { snapshot } from '../server/live.js';
import { AskFirst, type Question } from './ask-first.js';

/** The lanes of each model, and what can be done to them; below, what was done. */
export function Queues() {
  const [question, setQuestion] = useState<Question | null>(null);
  const seen = snapshot.value;
  if (seen === null) return <Skeleton lines={8} />;
  return (
    <>
      <div class="table-box" tabIndex={0} role="region" aria-label="Lanes">
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">Model</th>
              <th scope="col">Lane</th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Waiting
              </th>
              <th scope="col" class="number">
                Active
              </th>
              <th scope="col" class="number">
                Delayed
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col" class="number">
                Texts
              </th>
              <th scope="col" class="number">
                Backlog
              </th>
              <th scope="col" class="number">
                Oldest
              </th>
              <th scope="col">Actions</th>
            </tr>
          </thead>
          <tbody>
            {seen.models.flatMap(({ name, lanes }) =>
              LANES_IN_ORDER.map((lane) => (
                <Row
                  key={`${name}/${lane}`}
                  model={name}
                  lane={lane}
                  view={lanes[lane]}
                  ask={(action) => setQuestion({ model: name, lane, action, view: lanes[lane] })}
                />
              )),
            )}
          </tbody>
        </table>
      </div>
      <p class="hint">
        Counts are of tasks, parts of a job with up to 64 texts. <a href="/dashboard/queues/">The raw view of BullMQ</a>
      </p>
      <h2>What was done</h2>
      <AuditLog />
      {question !== null && <AskFirst question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

interface RowProps {
  readonly model: string;
  readonly lane: Lane;
  readonly view: LaneView;
  readonly ask: (action: QueueAction) => void;
}

function Row({ model, lane, view, ask }: RowProps) {
  const of = `the ${lane} lane of ${model}`;
  return (
    <tr data-lane={`${model}/${lane}`} data-paused={view.paused}>
      <th scope="row" data-label="Model">
        {model}
      </th>
      <td data-label="Lane">
        <LaneName lane={lane} />
      </td>
      <td data-label="State">
        {view.paused ? (
          <State state="paused" />
        ) : view.active + view.waiting > 0 ? (
          <State state="running" />
        ) : (
          <State state="idle" />
        )}
      </td>
      <td class="number" data-label="Waiting">
        {count(view.waiting)}
      </td>
      <td class="number" data-label="Active">
        {count(view.active)}
      </td>
      <td class="number" data-label="Delayed">
        {count(view.delayed)}
      </td>
      <td class={view.failed > 0 ? 'number bad' : 'number'} data-label="Failed">
        {count(view.failed)}
      </td>
      <td class="number" data-label="Texts">
        {count(view.texts)}
      </td>
      <td class="number" data-label="Backlog">
        {duration(view.backlog_seconds)}
      </td>
      <td class="number" data-label="Oldest">
        {duration(view.oldest_age_seconds)}
      </td>
      <td data-label="Actions">
        <div class="row-actions">
          {view.paused ? (
            <button type="button" class="small" aria-label={`Resume ${of}`} onClick={() => ask('resume')}>
              Resume
            </button>
          ) : (
            <button type="button" class="small" aria-label={`Pause ${of}`} onClick={() => ask('pause')}>
              Pause
            </button>
          )}
          <button
            type="button"
            class="small"
            aria-label={`Retry failed tasks of ${of}`}
            disabled={view.failed === 0}
            onClick={() => ask('retry-failed')}
          >
            Retry failed
          </button>
          <button
            type="button"
            class="small"
            aria-label={`Clean ${of}`}
            disabled={view.failed === 0}
            onClick={() => ask('clean')}
          >
            Clean
          </button>
        </div>
      </td>
    </tr>
  );
}
