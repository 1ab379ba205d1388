import type { ComponentChildren } from 'preact';
import type { Resource } from '../server/use-resource.js';
import { Problem, Skeleton } from './notice.js';

export interface LoadedProps<T> {
  readonly resource: Resource<T>;
  /** Height of the placeholder, in lines. */
  readonly lines: number;
  readonly children: (data: T) => ComponentChildren;
}

/** Renders the data of a resource; a placeholder while it loads, or why it could not be loaded. */
export function Loaded<T>({ resource: { data, failure, reload }, lines, children }: LoadedProps<T>) {
  if (data !== null) return <>{children(data)}</>;
  return failure === null ? <Skeleton lines={lines} /> : <Problem failure={failure} retry={reload} />;
}
