import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { CommandError, EXIT } from '../exit-codes.js';
import type { Fault } from '../vectors/vector-row.js';
import { linesOf } from './lines.js';

/** Maximum length of a line, bytes; the service's own limit for texts is much lower. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** `text`: one text per line. `ndjson`: one JSON string or object per line. `csv`, `tsv`: with a header. */
export const INPUT_FORMATS = ['text', 'ndjson', 'csv', 'tsv'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** Names of the object member or column with the text, and of the one with its id. */
export interface FieldNames {
  /** Default: `text`, else `input`. */
  readonly text?: string | undefined;
  /** Default: `id`, if present. */
  readonly id?: string | undefined;
}

/** One text of the input, or why it cannot be embedded; it has an index in either case. */
export interface TextRecord {
  readonly text: string | Fault;
  readonly id: string | null;
  /** Offset in the input after the record. */
  readonly end: number;
}

/**
 * Reads the texts of an input.
 * @param start offset to begin at: 0, or the `end` of a record
 * @param chunksFrom returns the input's bytes from an offset on
 * @throws CommandError when a field or column is missing, or the input has another format
 */
export function textRecords(
  format: InputFormat,
  names: FieldNames,
  start: number,
  chunksFrom: (offset: number) => AsyncIterable<Uint8Array>,
): AsyncGenerator<TextRecord> {
  switch (format) {
    case 'text':
      return plainTexts(chunksFrom(start), start);
    case 'ndjson':
      return ndjsonTexts(chunksFrom(start), start, names);
    case 'csv':
    case 'tsv':
      return tableTexts(format === 'csv' ? ',' : '\t', names, start, chunksFrom);
  }
}

/** An empty line counts as a record, so that row n is line n. */
async function* plainTexts(chunks: AsyncIterable<Uint8Array>, start: number): AsyncGenerator<TextRecord> {
  for await (const { bytes, end } of linesOf(chunks, start, MAX_LINE_BYTES)) {
    const text = decoded(bytes);
    yield { text: text === null ? NOT_UTF8 : orEmpty(text), id: null, end };
  }
}

async function* ndjsonTexts(
  chunks: AsyncIterable<Uint8Array>,
  start: number,
  names: FieldNames,
): AsyncGenerator<TextRecord> {
  let isFirst = start === 0;
  for await (const { bytes, end } of linesOf(chunks, start, MAX_LINE_BYTES)) {
    const line = decoded(bytes);
    if (line?.trim() === '') continue;
    const record = { ...(line === null ? { text: NOT_UTF8, id: null } : ndjsonText(line, names)), end };
    // A broken line is recorded; a broken first line means that the format or the field is wrong.
    if (isFirst && typeof record.text !== 'string' && record.text !== EMPTY) {
      throw new CommandError(EXIT.usage, `the first line: ${record.text.message}; see --format and --field`);
    }
    isFirst = false;
    yield record;
  }
}

function ndjsonText(line: string, names: FieldNames): Omit<TextRecord, 'end'> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { text: { code: 'invalid_json', message: 'not valid JSON' }, id: null };
  }
  if (typeof value === 'string') return { text: orEmpty(value), id: null };
  const members = (value ?? {}) as Record<string, unknown>;
  const text = names.text === undefined ? (members['text'] ?? members['input']) : members[names.text];
  const id = members[names.id ?? 'id'];
  return {
    text:
      typeof text === 'string'
        ? orEmpty(text)
        : { code: 'invalid_line', message: `no text under "${names.text ?? 'text'}"` },
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : null,
  };
}

async function* tableTexts(
  delimiter: string,
  names: FieldNames,
  start: number,
  chunksFrom: (offset: number) => AsyncIterable<Uint8Array>,
): AsyncGenerator<TextRecord> {
  let columns: { text: number; id: number } | null = null;
  // A resumed run starts after the header, so the header is read separately.
  if (start > 0) {
    for await (const { row } of tableRows(chunksFrom(0), delimiter, 0)) {
      columns = columnsOf(row, names);
      break;
    }
  }
  for await (const { row, end } of tableRows(chunksFrom(start), delimiter, start)) {
    if (columns === null) {
      columns = columnsOf(row, names);
      continue;
    }
    yield { text: orEmpty(row[columns.text] ?? ''), id: row[columns.id] ?? null, end };
  }
}

async function* tableRows(
  chunks: AsyncIterable<Uint8Array>,
  delimiter: string,
  start: number,
): AsyncGenerator<{ row: string[]; end: number }> {
  const parser = parse({
    delimiter,
    bom: start === 0,
    info: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: MAX_LINE_BYTES,
    // Values in tab-separated files are seldom quoted, but often contain quotes.
    ...(delimiter === '\t' ? { quote: null } : {}),
  });
  const source = Readable.from(chunks);
  source.once('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { bytes: number } }>) {
      yield { row: record, end: start + info.bytes };
    }
  } catch (error) {
    throw new CommandError(EXIT.error, `the table cannot be read: ${(error as Error).message}`, { cause: error });
  } finally {
    source.destroy();
  }
}

/** @returns indexes of the columns; `id` is -1 when there is none */
function columnsOf(header: readonly string[], names: FieldNames): { text: number; id: number } {
  const text =
    names.text === undefined
      ? header.findIndex((name) => name === 'text' || name === 'input')
      : header.indexOf(names.text);
  const id = header.indexOf(names.id ?? 'id');
  const missing = text < 0 ? (names.text ?? 'text') : id < 0 ? names.id : undefined;
  if (missing === undefined) return { text, id };
  const known = header.map((name) => `"${name}"`).join(', ');
  throw new CommandError(EXIT.usage, `there is no column "${missing}" among ${known}; name one with --column or --id`);
}

const EMPTY: Fault = { code: 'empty_text', message: 'an empty text' };
const NOT_UTF8: Fault = { code: 'invalid_utf8', message: 'not valid UTF-8' };

function orEmpty(text: string): string | Fault {
  return text === '' ? EMPTY : text;
}

/** Also removes a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true });

function decoded(bytes: Buffer): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}
