const NEWLINE = 0x0a;
const RETURN = 0x0d;

export interface Line {
  /** Without its line break, LF or CRLF. */
  readonly bytes: Buffer;
  /** Offset after the line and its line break. */
  readonly end: number;
}

/**
 * Splits bytes into lines, with at most one line and one chunk in memory. The last line may lack a line break.
 * @param start offset of the first byte
 * @throws Error as soon as a line has more than `maxBytes`
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  start: number,
  maxBytes: number,
): AsyncGenerator<Line> {
  let pieces: Buffer[] = [];
  let pieceBytes = 0;
  let end = start;
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let from = 0; ;) {
      const at = bytes.indexOf(NEWLINE, from);
      const piece = bytes.subarray(from, at < 0 ? bytes.length : at);
      pieceBytes += piece.length;
      if (pieceBytes > maxBytes) throw new Error(`a line has more than ${maxBytes} bytes`);
      if (piece.length > 0) pieces.push(piece);
      if (at < 0) break;
      end += pieceBytes + 1;
      yield { bytes: withoutReturn(joined(pieces)), end };
      pieces = [];
      pieceBytes = 0;
      from = at + 1;
    }
  }
  if (pieceBytes > 0) yield { bytes: joined(pieces), end: end + pieceBytes };
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line;
}
