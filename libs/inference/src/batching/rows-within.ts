import type { AttentionBudget } from '#model';

/** @returns how many rows of so many tokens may run together, at least one; Infinity without a budget */
export function rowsWithin(budget: AttentionBudget | undefined, tokens: number): number {
  if (budget === undefined || budget.perRow === 0) return Infinity;
  // A text that does not fit alone has been cut to the model's limit, which does.
  return Math.max(1, Math.floor((budget.bytes / tokens ** 2 - budget.perBatch) / budget.perRow));
}
