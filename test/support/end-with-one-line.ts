/** What the product's entries do when they cannot start. */
export function endWithOneLine(error: unknown): never {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
