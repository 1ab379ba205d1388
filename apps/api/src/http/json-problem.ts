/** What V8 says is wrong with JSON, without the text that it quotes: errors end up in logs. */
export function jsonProblem(error: unknown): string {
  return (error as Error).message.replace(/, ?".*/s, '');
}
