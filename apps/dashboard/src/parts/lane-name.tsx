import type { Lane } from '#contracts';

/** A lane's name in its colour, which is the same in every chart. */
export function LaneName({ lane }: { readonly lane: Lane }) {
  return (
    <span class="lane">
      <i class={`swatch ${lane}`} />
      {lane}
    </span>
  );
}
