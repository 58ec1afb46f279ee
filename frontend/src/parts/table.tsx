/** A table that becomes cards where there is no room; its roles stay, whatever its display. */
import type { ComponentChildren } from "preact";

/** A column: its heading, its cells, and whether they are numbers. */
export interface Column<Row> {
  key: string;
  name: string;
  number?: boolean;
  cell(row: Row): ComponentChildren;
}

/** How the rows are sorted now, and what to do for another order. */
export interface Sorting {
  key: string;
  down: boolean;
  by(key: string): void;
}

/** @param empty what is said instead of rows */
export function Table<Row>(
  { caption, columns, rows, keyOf, sorting, empty, busy }: {
    caption: string;
    columns: readonly Column<Row>[];
    rows: readonly Row[] | undefined;
    keyOf(row: Row): string;
    sorting?: Sorting;
    empty: ComponentChildren;
    busy?: boolean;
  },
) {
  if (rows !== undefined && rows.length === 0) {
    return <div class="empty">{empty}</div>;
  }
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table class="cards" role="table" aria-busy={busy || rows === undefined}>
        <caption class="hidden">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {columns.map((column) => <Head key={column.key} column={column} sorting={sorting} />)}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows === undefined
            ? [0, 1, 2].map((i) => (
              <tr role="row" key={i}>
                {columns.map((column) => (
                  <td
                    role="cell"
                    key={column.key}
                    data-l={column.name}
                    class="waiting"
                  >
                    —
                  </td>
                ))}
              </tr>
            ))
            : rows.map((row) => (
              <tr role="row" key={keyOf(row)}>
                {columns.map((column) => (
                  <td
                    role="cell"
                    key={column.key}
                    data-l={column.name}
                    class={column.number ? "number" : undefined}
                  >
                    <div>{column.cell(row)}</div>
                  </td>
                ))}
              </tr>
            ))}
        </tbody>
      </table>
    </div>
  );
}

function Head<Row>(
  { column, sorting }: { column: Column<Row>; sorting: Sorting | undefined },
) {
  const { key, name, number } = column;
  const own = sorting?.key === key;
  return (
    <th
      scope="col"
      role="columnheader"
      class={number ? "number" : undefined}
      aria-sort={own ? (sorting.down ? "descending" : "ascending") : undefined}
    >
      {sorting === undefined
        ? name
        : (
          <button type="button" class="sort" onClick={() => sorting.by(key)}>
            {name}
            <span aria-hidden="true">
              {own ? (sorting.down ? "\u00a0↓" : "\u00a0↑") : ""}
            </span>
          </button>
        )}
    </th>
  );
}
