import type { ModelView } from '#contracts';
import { BATCH_EFFICIENCY, count, duration, percent, short } from '../figures/format.js';
import { State } from '../parts/state.js';
import { BacklogRule } from './backlog-rule.js';

export interface HeadlineProps {
  readonly model: ModelView;
  readonly href: string;
  /** Whether the charts below are this model's. */
  readonly chosen: boolean;
}

/** One model at a glance: whether it keeps up, and its backlog in seconds. */
export function Headline({ model, href, chosen }: HeadlineProps) {
  const { state, message, reason, backlog_seconds: backlog } = model.verdict;
  return (
    <li class={`headline ${state}`} data-model={model.name}>
      <div class="headline-text">
        <a class="headline-model" href={href} aria-current={chosen ? 'true' : undefined}>
          {model.name}
        </a>
        <p class="verdict">
          <State state={state} label={message} />
          {state !== 'working' && (
            <span class="verdict-backlog">
              {backlog === null ? 'backlog not known' : `${duration(backlog)} of backlog`}
            </span>
          )}
        </p>
        <p class="reason">{reason}</p>
      </div>
      <BacklogRule lanes={model.lanes} />
      <dl class="figures">
        <Figure name="Workers ready" value={count(model.ready_workers)} />
        <Figure name="Texts/s" value={short(model.texts_per_second)} />
        <Figure name="Tokens/s" value={short(model.tokens_per_second)} />
        <Figure name="Cache hits" value={percent(model.cache_hit_ratio)} />
        <Figure name="Latency p95" value={duration(model.wait_seconds?.p95 ?? null)} />
        <Figure name="Batch efficiency" value={percent(model.fill)} hint={BATCH_EFFICIENCY} />
        <Figure name="Errors/min" value={short(model.errors_per_minute)} alarming={model.errors_per_minute > 0} />
      </dl>
    </li>
  );
}

interface FigureProps {
  readonly name: string;
  readonly value: string;
  readonly alarming?: boolean;
  /** Tooltip. */
  readonly hint?: string;
}

function Figure({ name, value, alarming = false, hint }: FigureProps) {
  return (
    <div class={alarming ? 'figure alarming' : 'figure'} title={hint}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
