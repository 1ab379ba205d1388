import { useEffect, useRef, useState } from 'preact/hooks';
import { Failure, get } from './http.js';
import { snapshot } from './live.js';

export interface Resource<T> {
  /** The last response for this path; null before the first. */
  readonly data: T | null;
  /** Why the last request failed; null when it did not. */
  readonly failure: Failure | null;
  readonly reload: () => void;
}

/**
 * Loads a path, and reloads it with every snapshot, so that it stays in step with the rest of the page and sends no
 * requests while the tab is hidden. At most one request at a time.
 */
export function useResource<T>(path: string): Resource<T> {
  const [answer, setAnswer] = useState<{ path: string; data: T | null; failure: Failure | null }>();
  const [again, setAgain] = useState(0);
  const asking = useRef<{ path: string; controller: AbortController } | null>(null);
  const tick = snapshot.value;

  useEffect(() => {
    if (asking.current?.path === path) return;
    asking.current?.controller.abort();
    const controller = new AbortController();
    const mine = { path, controller };
    asking.current = mine;
    const settle = (data: T | null, failure: Failure | null) => {
      if (asking.current !== mine) return;
      asking.current = null;
      setAnswer((last) => ({ path, data: data ?? (last?.path === path ? last.data : null), failure }));
    };
    get<T>(path, controller.signal).then(
      (data) => settle(data, null),
      (error: unknown) => settle(null, error instanceof Failure ? error : new Failure(0, String(error))),
    );
  }, [path, tick, again]);
  useEffect(() => () => asking.current?.controller.abort(), []);

  const current = answer?.path === path ? answer : null;
  return {
    data: current?.data ?? null,
    failure: current?.failure ?? null,
    reload: () => {
      asking.current?.controller.abort();
      asking.current = null;
      setAgain((count) => count + 1);
    },
  };
}
