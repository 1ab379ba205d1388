import { useEffect, useState } from 'preact/hooks';
import type { HistoryRange, History, ModelView } from '#contracts';
import { timelineOf, withSnapshot, type Timeline } from '../figures/timeline.js';
import { Empty, Skeleton } from '../parts/notice.js';
import { linkTo, route } from '../router.js';
import { get } from '../server/http.js';
import { connection, snapshot } from '../server/live.js';
import { Charts } from './charts.js';
import { Headline } from './headline.js';
import { StartWorker } from './start-worker.js';

/** Number of points that the API keeps for each range. */
const STEPS: Record<HistoryRange, number> = { '5m': 150, '1h': 120, '24h': 144 };
const RANGES: readonly { readonly range: HistoryRange; readonly label: string }[] = [
  { range: '5m', label: '5 min' },
  { range: '1h', label: '1 h' },
  { range: '24h', label: '24 h' },
];
const LOAD_AGAIN_MS = 10_000;

export function Overview() {
  const { query } = route.value;
  const range = RANGES.find((known) => known.range === query.get('range'))?.range ?? '5m';
  const timeline = useTimeline(range);
  const current = snapshot.value;
  if (current === null) return <Skeleton lines={12} />;
  if (current.models.length === 0) {
    return (
      <Empty title="No model is served yet">
        <StartWorker />
      </Empty>
    );
  }
  const chosen = current.models.find(({ name }) => name === query.get('model')) ?? busiest(current.models);
  const go = (model: string, to: HistoryRange) =>
    linkTo('overview', undefined, { model, range: to === '5m' ? '' : to });
  return (
    <>
      <ul class="headlines" aria-label="Models">
        {current.models.map((model) => (
          <Headline
            key={model.name}
            model={model}
            href={go(model.name, range)}
            chosen={current.models.length > 1 && model.name === chosen.name}
          />
        ))}
      </ul>
      {current.models.every(({ ready_workers: ready }) => ready === 0) && <StartWorker />}
      <div class="bar">
        <h2>{current.models.length > 1 ? chosen.name : 'Over time'}</h2>
        <div class="choice" role="group" aria-label="Range of time">
          {RANGES.map(({ range: to, label }) => (
            <a key={to} href={go(query.get('model') ?? '', to)} aria-current={to === range ? 'true' : undefined}>
              {label}
            </a>
          ))}
        </div>
      </div>
      <Charts model={chosen.name} timeline={timeline} />
    </>
  );
}

/**
 * The history of a range, continued with live snapshots. Reloaded after a lost connection, when the tab is shown again,
 * and periodically, so that points of the range's own resolution replace the live ones.
 */
function useTimeline(range: HistoryRange): Timeline | null {
  const [timeline, setTimeline] = useState<{ range: HistoryRange; drawn: Timeline } | null>(null);
  const [loads, setLoads] = useState(0);
  const current = snapshot.value;
  const inTouch = connection.value.kind === 'live' || connection.value.kind === 'polling';

  useEffect(() => {
    if (!inTouch) return;
    const controller = new AbortController();
    let timer: number | undefined;
    get<History>(`/admin/v1/history?range=${range}`, controller.signal).then(
      (history) => {
        const drawn = timelineOf(history, STEPS[range]);
        setTimeline({ range, drawn: snapshot.value === null ? drawn : withSnapshot(drawn, snapshot.value) });
        timer = window.setTimeout(() => setLoads(loads + 1), Math.max(LOAD_AGAIN_MS, history.step_seconds * 1000));
      },
      () => {
        // The live stream reports the same problem; the charts stay unchanged until it is over.
        if (!controller.signal.aborted) timer = window.setTimeout(() => setLoads(loads + 1), LOAD_AGAIN_MS);
      },
    );
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [range, loads, inTouch]);

  useEffect(() => {
    if (current === null) return;
    setTimeline((last) => last && { ...last, drawn: withSnapshot(last.drawn, current) });
  }, [current]);

  useEffect(() => {
    const back = () => {
      if (!document.hidden) setLoads((count) => count + 1);
    };
    document.addEventListener('visibilitychange', back);
    return () => document.removeEventListener('visibilitychange', back);
  }, []);

  return timeline?.range === range ? timeline.drawn : null;
}

function busiest(models: readonly ModelView[]): ModelView {
  const texts = ({ lanes }: ModelView) => lanes.interactive.texts + lanes.bulk.texts;
  return models.reduce((most, model) => (texts(model) > texts(most) ? model : most));
}
