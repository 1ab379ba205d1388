type Tone = 'good' | 'busy' | 'calm' | 'warn' | 'bad';

const TONES: Readonly<Record<string, Tone>> = {
  'ready': 'good',
  'starting': 'busy',
  'draining': 'warn',
  'unfit': 'bad',
  'lost': 'bad',
  'receiving': 'busy',
  'queued': 'calm',
  'running': 'busy',
  'completed': 'good',
  'failed': 'bad',
  'cancelled': 'warn',
  'keeping-up': 'good',
  'working': 'busy',
  'falling-behind': 'warn',
  'idle': 'calm',
  'paused': 'warn',
  'stalled': 'bad',
  'no-workers': 'bad',
};

/** Labels of states that the API names differently. */
const LABELS: Readonly<Record<string, string>> = { unfit: 'unhealthy' };

export interface StateProps {
  readonly state: string;
  /** Shown instead of the state's name. */
  readonly label?: string;
}

/** A state as an icon and a word. */
export function State({ state, label = LABELS[state] ?? state }: StateProps) {
  const tone = TONES[state] ?? 'calm';
  return (
    <span class={`state ${tone}`}>
      <svg viewBox="0 0 10 10" aria-hidden="true">
        <Shape tone={tone} />
      </svg>
      {label}
    </span>
  );
}

/** Icons differ in shape, not only in colour. */
function Shape({ tone }: { readonly tone: Tone }) {
  switch (tone) {
    case 'good':
      return <circle cx="5" cy="5" r="4" />;
    case 'busy':
      return (
        <>
          <circle class="hollow" cx="5" cy="5" r="3.5" />
          <path d="M5 1.5a3.5 3.5 0 0 0 0 7z" />
        </>
      );
    case 'calm':
      return <circle class="hollow" cx="5" cy="5" r="3.5" />;
    case 'warn':
      return <path d="M5 0.5 9.5 9.2h-9z" />;
    case 'bad':
      return <path class="hollow" d="M1.5 1.5 8.5 8.5 M8.5 1.5 1.5 8.5" />;
  }
}
