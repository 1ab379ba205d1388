/** Exit codes of every command, as docs/cli.md and `embedmill --help` list them. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  /** Everything was written, but some texts have no vector. */
  textsFailed: 3,
  /** The key is missing, wrong, or lacks the needed scope. */
  refused: 4,
  unreachable: 5,
  /** By SIGINT (Ctrl-C), SIGTERM or SIGHUP. */
  interrupted: 130,
} as const;

/** Ends a command with an exit code; the message says why in one line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;

  constructor(exitCode: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
