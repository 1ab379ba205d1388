import type { ComponentChildren } from 'preact';
import type { Failure } from '../server/http.js';

/** Shown in place of an empty list: why it is empty, and what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <h3>{title}</h3>
      {children}
    </div>
  );
}

/** Shown in place of data that could not be loaded. */
export function Problem({ failure, retry }: { readonly failure: Failure; readonly retry: () => void }) {
  return (
    <div class="empty" role="alert">
      <h3>This could not be loaded</h3>
      <p>{failure.message}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

/** Placeholder for data that is loading. */
export function Skeleton({ lines = 4 }: { readonly lines?: number }) {
  return (
    <div class="skeleton" aria-hidden="true">
      {Array.from({ length: lines }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

/** Says why an action failed; renders nothing when it did not. */
export function ActionProblem({ problem }: { readonly problem: string | null }) {
  return problem === null ? null : (
    <p class="problem" role="alert">
      {problem}
    </p>
  );
}
