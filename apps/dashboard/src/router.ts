import { signal } from '@preact/signals';

export const VIEWS = ['overview', 'workers', 'jobs', 'queues', 'playground', 'keys', 'audit'] as const;
export type View = (typeof VIEWS)[number];

/** The current view, kept in the URL's hash: the paths below /dashboard belong to the API. */
export interface Route {
  readonly view: View;
  /** Id of the job shown; null in other views. */
  readonly id: string | null;
  readonly query: URLSearchParams;
}

export const route = signal(read(location.hash));

addEventListener('hashchange', () => {
  route.value = read(location.hash);
});

/** `#/jobs/ID?state=running`; empty values of a query are left out. */
export function linkTo(view: View, id?: string, query: Readonly<Record<string, string>> = {}): string {
  const kept = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  return `#/${view}${id === undefined ? '' : `/${encodeURIComponent(id)}`}${kept.size === 0 ? '' : `?${kept}`}`;
}

function read(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const [view = '', id] = path.split('/', 2);
  return {
    view: VIEWS.find((known) => known === view) ?? 'overview',
    id: id === undefined || id === '' ? null : decoded(id),
    query: new URLSearchParams(query),
  };
}

/** Returns the text as it is when it is not valid percent-encoding: a URL may be typed by hand. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
