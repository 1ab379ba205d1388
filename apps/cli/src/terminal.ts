import { styleText } from 'node:util';

/** Output of a command: in colour on a terminal, plain lines in pipes and files. */
export interface Terminal {
  /** Writes a line of the command itself. */
  say(line?: string): void;
  /** Writes a line of one of its processes, prefixed with the process's name. */
  from(name: string, line: string): void;
  /** Whether the output is a terminal. */
  readonly interactive: boolean;
  /** Whether to write colours: on a terminal, unless NO_COLOR is set. */
  readonly colours: boolean;
}

const COLOURS = ['cyan', 'green', 'magenta', 'yellow', 'blue'] as const;

export function terminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  const colours = stream.isTTY && (process.env['NO_COLOR'] ?? '') === '';
  const colourOf = new Map<string, (typeof COLOURS)[number]>();
  return {
    interactive: stream.isTTY,
    colours,
    say: (line = '') => void stream.write(`${line}\n`),
    from: (name, line) => {
      const colour = colourOf.get(name) ?? COLOURS[colourOf.size % COLOURS.length] ?? 'cyan';
      colourOf.set(name, colour);
      const label = `${name.padEnd(8)} |`;
      stream.write(`${colours ? styleText(colour, label) : label} ${line}\n`);
    },
  };
}
