import { useEffect, useRef } from 'preact/hooks';
import { announce } from '../parts/announcer.js';
import { linkTo, type View, VIEWS } from '../router.js';
import { Failure } from '../server/http.js';
import { link } from '../server/live.js';
import { session } from '../server/session.js';
import { signOut } from '../server/sign-in.js';
import { switchTheme, theme } from '../theme.js';
import { Mark } from './mark.js';

export function Header({ view }: { readonly view: View }) {
  const links = useRef<HTMLElement>(null);
  // On a phone they are wider than the window.
  useEffect(() => {
    const nav = links.current!;
    const current = nav.querySelector<HTMLElement>('[aria-current]');
    if (current !== null) nav.scrollLeft = current.offsetLeft - (nav.clientWidth - current.offsetWidth) / 2;
  }, [view]);
  return (
    <header class="top">
      <a class="brand" href={linkTo('overview')}>
        <Mark /> Embedmill
      </a>
      <nav aria-label="Views" ref={links}>
        {VIEWS.map((name) => (
          <a key={name} href={linkTo(name)} aria-current={name === view ? 'page' : undefined}>
            {name[0]!.toUpperCase() + name.slice(1)}
          </a>
        ))}
      </nav>
      <div class="top-end">
        <LinkState />
        <button
          type="button"
          class="small"
          aria-pressed={theme.value === 'dark'}
          aria-label="Dark theme"
          title="Dark theme"
          onClick={switchTheme}
        >
          {theme.value === 'dark' ? '☾' : '☀'}
        </button>
        {session.value?.signed_in === true && session.value.access_control && (
          <button
            type="button"
            class="small"
            title={`Signed in with ${session.value.key_name}`}
            onClick={() => void leave()}
          >
            Sign out
          </button>
        )}
      </div>
    </header>
  );
}

async function leave(): Promise<void> {
  try {
    await signOut();
  } catch (error) {
    announce(error instanceof Failure ? error.message : String(error));
  }
}

function LinkState() {
  const state = link.value;
  return (
    <span class={`link-state ${state.kind}`} role="status">
      <i aria-hidden="true" />
      {state.kind === 'live' && 'Live'}
      {state.kind === 'connecting' && 'Connecting'}
      {state.kind === 'polling' && (
        <abbr title="Server-sent events do not come through: asking every 2 s instead">Polling</abbr>
      )}
      {state.kind === 'away' && 'No contact'}
    </span>
  );
}
