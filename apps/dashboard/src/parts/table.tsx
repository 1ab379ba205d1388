import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers are right-aligned. */
  readonly number?: boolean;
  /** Whether to mark the value as a problem. */
  readonly alarming?: (row: Row) => boolean;
  /** Tooltip of the cell. */
  readonly hint?: (row: Row) => string;
}

export interface TableProps<Row> {
  /** Name of the table, for screen readers. */
  readonly caption: string;
  /** The first column names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** Unique in the table, and stable for a row. */
  readonly id: (row: Row) => string | number;
  /** Attributes of a row, for styles and tests. */
  readonly data?: (row: Row) => Readonly<Record<`data-${string}`, string | boolean>>;
  /** Shown instead of a table without rows. */
  readonly empty?: ComponentChildren;
  /** `cards`: on a phone each row becomes a card. `low`: the table scrolls within a limited height. */
  readonly layout?: 'cards' | 'plain' | 'low';
}

/** The table that all views use. It scrolls horizontally inside its own box, by keyboard too, not with the page. */
export function Table<Row>({ caption, columns, rows, id, data, empty, layout = 'cards' }: TableProps<Row>) {
  const captionId = useId();
  if (rows.length === 0 && empty !== undefined) return <>{empty}</>;
  return (
    <div
      class={layout === 'low' ? 'table-box low' : 'table-box'}
      tabIndex={0}
      role="region"
      aria-labelledby={captionId}
    >
      <table class={layout === 'cards' ? 'cards' : ''}>
        <caption class="visually-hidden" id={captionId}>
          {caption}
        </caption>
        <thead>
          <tr>
            {columns.map(({ title, number }) => (
              <th key={title} scope="col" class={number === true ? 'number' : ''}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)} {...data?.(row)}>
              {columns.map((column, at) => (
                <Cell key={column.title} row={row} column={column} heads={at === 0} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface CellProps<Row> {
  readonly row: Row;
  readonly column: Column<Row>;
  /** Whether the cell names its row. */
  readonly heads: boolean;
}

function Cell<Row>({ row, column: { title, cell, number, alarming, hint }, heads }: CellProps<Row>) {
  const shared = {
    'class': [number === true && 'number', alarming?.(row) === true && 'bad'].filter(Boolean).join(' '),
    'data-label': title,
    'title': hint?.(row),
  };
  return heads ? (
    <th scope="row" {...shared}>
      {cell(row)}
    </th>
  ) : (
    <td {...shared}>{cell(row)}</td>
  );
}
