/** V8's message for a JSON syntax error without the input that it quotes, since errors end up in logs. */
export function jsonProblem(error: unknown): string {
  return (error as Error).message.replace(/, ?".*/s, '');
}
