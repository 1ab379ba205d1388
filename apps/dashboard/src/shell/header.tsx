import { useEffect, useRef } from 'preact/hooks';
import { announce } from '../parts/announcer.js';
import { linkTo, type View, VIEWS } from '../router.js';
import { messageOf } from '../server/http.js';
import { connection } from '../server/live.js';
import { session } from '../server/session.js';
import { signOut } from '../server/sign-in.js';
import { switchTheme, theme } from '../theme.js';
import { Mark } from './mark.js';

export function Header({ view }: { readonly view: View }) {
  const links = useRef<HTMLElement>(null);
  // On a phone the links are wider than the window: scroll to the current one.
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
        <ConnectionState />
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
    announce(messageOf(error));
  }
}

function ConnectionState() {
  const state = connection.value;
  return (
    <span class={`connection-state ${state.kind}`} role="status">
      <i aria-hidden="true" />
      {state.kind === 'live' && 'Live'}
      {state.kind === 'connecting' && 'Connecting'}
      {state.kind === 'polling' && (
        <abbr title="Server-sent events do not come through: asking every 2 s instead">Polling</abbr>
      )}
      {state.kind === 'away' && 'Disconnected'}
    </span>
  );
}
