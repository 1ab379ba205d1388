import type { ComponentChildren } from 'preact';
import type { Resource } from '../server/use-resource.js';
import { Problem, Skeleton } from './notice.js';

export interface LoadedProps<T> {
  readonly resource: Resource<T>;
  /** Height of the placeholder, in lines. */
  readonly lines: number;
  readonly children: (data: T) => ComponentChildren;
}

/** What a path answered; a placeholder before, or why there is nothing. */
export function Loaded<T>({ resource: { data, failure, reload }, lines, children }: LoadedProps<T>) {
  if (data !== null) return <>{children(data)}</>;
  return failure === null ? <Skeleton lines={lines} /> : <Problem failure={failure} retry={reload} />;
}
