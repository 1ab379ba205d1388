import { styleText } from 'node:util';

/** Where `up` and `demo` write: colours for people, plain lines for pipes and files. */
export interface Terminal {
  /** A line of the program itself. */
  say(line?: string): void;
  /** A line of one of its processes, with that one's name before it. */
  from(name: string, line: string): void;
  readonly interactive: boolean;
  /** Whether colours are welcome. */
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
