type Tone = 'good' | 'busy' | 'calm' | 'warn' | 'bad';

/** Marks differ in shape, not only in colour. */
const MARKS: Record<Tone, string> = { good: '●', busy: '◐', calm: '○', warn: '▲', bad: '✕' };

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
  'falling-behind': 'warn',
  'idle': 'calm',
  'paused': 'warn',
  'no-workers': 'bad',
};

/** A state in a word and a mark. */
export function State({ state, words = state }: { readonly state: string; readonly words?: string }) {
  const tone = TONES[state] ?? 'calm';
  return (
    <span class={`state ${tone}`}>
      <span aria-hidden="true">{MARKS[tone]}</span> {words}
    </span>
  );
}
