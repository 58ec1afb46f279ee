/** Numbers with their names. */
import type { ComponentChildren } from "preact";

/** A row of tiles. */
export function Tiles(
  { children, label }: { children: ComponentChildren; label?: string },
) {
  return <dl class="tiles" aria-label={label}>{children}</dl>;
}

/** One number: its name, itself, and a line of what it means. */
export function Tile(
  { name, children, note, big }: {
    name: string;
    children: ComponentChildren;
    note?: ComponentChildren;
    big?: boolean;
  },
) {
  return (
    <div class={big ? "tile big" : "tile"}>
      <dt>{name}</dt>
      <dd class="value">{children}</dd>
      {note !== undefined && note !== null && note !== false && <dd class="note">{note}</dd>}
    </div>
  );
}
