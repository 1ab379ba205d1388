import type { ModelView } from '#contracts';
import { count, duration, percent, short } from '../figures/format.js';
import type { Timeline } from '../figures/timeline.js';
import { backlogWords, verdictOf } from '../figures/verdict.js';
import { State } from '../parts/state.js';
import { BacklogRule } from './backlog-rule.js';

export interface HeadlineProps {
  readonly model: ModelView;
  readonly timeline: Timeline | null;
  readonly href: string;
  /** Whether the charts below are this model's. */
  readonly chosen: boolean;
}

/** One model at a glance: is it keeping up, and by how many seconds is it behind. */
export function Headline({ model, timeline, href, chosen }: HeadlineProps) {
  const verdict = verdictOf(model, timeline?.models[model.name]?.texts, timeline?.times ?? []);
  return (
    <li class={`headline ${verdict.kind}`} data-model={model.name}>
      <div class="headline-words">
        <a class="headline-model" href={href} aria-current={chosen ? 'true' : undefined}>
          {model.name}
        </a>
        <p class="verdict">
          <State state={verdict.kind} words={verdict.words} />
          <span class="verdict-backlog">{backlogWords(verdict)}</span>
        </p>
        <p class="because">{verdict.because}</p>
      </div>
      <BacklogRule lanes={model.lanes} />
      <dl class="figures">
        <Figure name="Workers ready" value={count(model.ready_workers)} />
        <Figure name="Texts/s" value={short(model.texts_per_second)} />
        <Figure name="Tokens/s" value={short(model.tokens_per_second)} />
        <Figure name="Cache hits" value={percent(model.cache_hit_ratio)} />
        <Figure name="Wait p95" value={duration(model.wait_seconds?.p95 ?? null)} />
        <Figure name="Batch fill" value={percent(model.fill)} />
        <Figure name="Errors/min" value={short(model.errors_per_minute)} grave={model.errors_per_minute > 0} />
      </dl>
    </li>
  );
}

function Figure({
  name,
  value,
  grave = false,
}: {
  readonly name: string;
  readonly value: string;
  readonly grave?: boolean;
}) {
  return (
    <div class={grave ? 'figure grave' : 'figure'}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
