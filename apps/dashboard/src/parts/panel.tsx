import type { ComponentChildren } from 'preact';

export interface PanelProps {
  readonly title: string;
  /** Over the full width of the page. */
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** A titled part of a page; the class `panels` arranges several in a grid. */
export function Panel({ title, wide = false, children }: PanelProps) {
  return (
    <section class={wide ? 'panel wide' : 'panel'}>
      <h2>{title}</h2>
      {children}
    </section>
  );
}
