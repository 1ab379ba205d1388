import { useState } from 'preact/hooks';
import { announce } from './announcer.js';

const DONE_MS = 1500;

export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Browsers allow the clipboard only to pages loaded over TLS or from loopback.
      announce('The browser does not let this page copy: select the text and copy it yourself.');
      return;
    }
    setDone(true);
    announce(`Copied ${what}.`);
    setTimeout(() => setDone(false), DONE_MS);
  };
  return (
    <button type="button" class="small" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {done ? 'Copied' : 'Copy'}
    </button>
  );
}
