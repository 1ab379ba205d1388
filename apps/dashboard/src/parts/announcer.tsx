import { signal } from '@preact/signals';

const SHOWN_MS = 6000;
const said = signal<string>('');
let timer: number | undefined;

/** Shows a message for a few seconds; screen readers read it, too. */
export function announce(words: string): void {
  said.value = words;
  clearTimeout(timer);
  timer = window.setTimeout(() => {
    said.value = '';
  }, SHOWN_MS);
}

export function Announcer() {
  return (
    <div class="announcer" role="status" aria-live="polite">
      {said.value !== '' && <p>{said.value}</p>}
    </div>
  );
}
