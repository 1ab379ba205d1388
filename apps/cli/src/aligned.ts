/**
 * Formats rows as lines, each column padded to its widest cell: the first `toTheLeft` columns left-aligned, the others
 * (numbers) right-aligned.
 */
export function aligned(rows: readonly (readonly string[])[], toTheLeft = 1): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column < toTheLeft ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
