import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Audit } from './audit/audit.js';
import { Jobs } from './jobs/jobs.js';
import { JobPage } from './jobs/job-page.js';
import { Keys } from './keys/keys.js';
import { Overview } from './overview/overview.js';
import { Announcer } from './parts/announcer.js';
import { Playground } from './playground/playground.js';
import { Queues } from './queues/queues.js';
import { route, type Route, type View } from './router.js';
import { messageOf } from './server/http.js';
import { connection, listen } from './server/live.js';
import { session } from './server/session.js';
import { askSession } from './server/sign-in.js';
import { Header } from './shell/header.js';
import { ConnectionNotice } from './shell/connection-notice.js';
import { SignIn } from './sign-in/sign-in.js';
import { Workers } from './workers/workers.js';

const TITLES: Record<View, string> = {
  overview: 'Overview',
  workers: 'Workers',
  jobs: 'Jobs',
  queues: 'Queues',
  playground: 'Playground',
  keys: 'API keys',
  audit: 'Audit log',
};
const ASK_AGAIN_MS = 3000;

export function App() {
  const known = session.value;
  if (known === null) return <Starting />;
  if (known.access_control && !known.signed_in) return <SignIn />;
  return <Shell />;
}

/** Shown until the API has said whether it requires a key. */
function Starting() {
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const ask = () => askSession().catch((error: unknown) => setProblem(messageOf(error)));
    void ask();
    const timer = setInterval(() => void ask(), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="alone">
      <h1>Embedmill</h1>
      <p role="status">{problem === null ? 'Asking the API …' : `${problem} Asking again every few seconds.`}</p>
    </main>
  );
}

function Shell() {
  useEffect(listen, []);
  const at = route.value;
  const place = `${at.view}/${at.id ?? ''}`;
  const title = at.id ?? TITLES[at.view];
  useEffect(() => {
    document.title = `${title} · Embedmill`;
  }, [title]);
  const before = useRef(place);
  useLayoutEffect(() => {
    // If the focus was in the content that has been replaced, move it to the new content.
    if (before.current !== place && document.activeElement === document.body) {
      document.querySelector<HTMLElement>('#main')?.focus();
    }
    before.current = place;
  }, [place]);
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the content
      </a>
      <Header view={at.view} />
      <ConnectionNotice />
      <main id="main" tabIndex={-1} data-stale={connection.value.kind === 'away'} key={place}>
        <h1 class={at.view === 'overview' ? 'visually-hidden' : ''}>{title}</h1>
        <Content at={at} />
      </main>
      <Announcer />
    </>
  );
}

function Content({ at }: { readonly at: Route }) {
  switch (at.view) {
    case 'overview':
      return <Overview />;
    case 'workers':
      return <Workers />;
    case 'jobs':
      return at.id === null ? <Jobs query={at.query} /> : <JobPage id={at.id} />;
    case 'queues':
      return <Queues />;
    case 'playground':
      return <Playground />;
    case 'keys':
      return <Keys />;
    case 'audit':
      return <Audit />;
  }
}

/** Moves the focus to the content: the browser cannot, since the URL's hash holds the route. */
function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>('#main')?.focus();
}
