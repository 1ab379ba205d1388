import type { ComponentChildren } from 'preact';

export interface FactsProps {
  readonly facts: Readonly<Record<string, ComponentChildren>>;
  /** In several columns. */
  readonly wide?: boolean;
}

/** A list of names and their values. */
export function Facts({ facts, wide = false }: FactsProps) {
  return (
    <dl class={wide ? 'facts wide' : 'facts'}>
      {Object.entries(facts).map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
