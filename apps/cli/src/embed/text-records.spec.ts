import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { collect } from '../../../../test/support/collect.js';
import { Input } from './input.js';
import { type FieldNames, type TextRecord, textRecords } from './text-records.js';

const folder = mkdtempSync(join(tmpdir(), 'embedmill-input-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function inputOf(name: string, content: string | Buffer): Input {
  const path = join(folder, name);
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(content) : content);
  return new Input(path);
}

function recordsFrom(input: Input, start = 0, names: FieldNames = {}): Promise<TextRecord[]> {
  return collect(textRecords(input.format, names, start, (offset) => input.chunks(offset)));
}

const NDJSON = '"plain"\n\n{"text":"t","id":7}\r\n{"input":"i","id":"x"}\n{"body":1}\nnot json\n""\n';
const CSV = '\ufeffid,text,n\r\n1,"a, ""b""\nc é",2\r\n\r\n2,,3\r\n3,last';

describe('textRecords', () => {
  it('reads one text a line, in which row n is line n', async () => {
    const input = inputOf('a.txt', Buffer.from('one\n\ntwo\xff\nthree', 'latin1'));
    expect((await recordsFrom(input)).map(({ text }) => (typeof text === 'string' ? text : text.code))).toEqual([
      'one',
      'empty_text',
      'invalid_utf8',
      'three',
    ]);
  });

  it('reads NDJSON of strings and objects; what has no text keeps its place', async () => {
    const records = await recordsFrom(inputOf('a.ndjson', NDJSON));
    expect(records.map(({ id, text }) => [id, typeof text === 'string' ? text : text.code])).toEqual([
      [null, 'plain'],
      ['7', 't'],
      ['x', 'i'],
      [null, 'invalid_line'],
      [null, 'invalid_json'],
      [null, 'empty_text'],
    ]);
    const named = await recordsFrom(inputOf('b.jsonl', '{"body":"b","text":"t","key":"k"}'), 0, {
      text: 'body',
      id: 'key',
    });
    expect(named).toMatchObject([{ text: 'b', id: 'k' }]);
  });

  it('reads tables by the names of their columns', async () => {
    const records = await recordsFrom(inputOf('a.csv', CSV));
    expect(records.map(({ id, text }) => [id, typeof text === 'string' ? text : text.code])).toEqual([
      ['1', 'a, "b"\nc é'],
      ['2', 'empty_text'],
      ['3', 'last'],
    ]);
    const tabbed = await recordsFrom(inputOf('a.tsv', 'k\tbody\na\tsay "hi\n'), 0, { text: 'body', id: 'k' });
    expect(tabbed).toMatchObject([{ text: 'say "hi', id: 'a' }]);
  });

  it('refuses an input that is of another format, or has no such field', async () => {
    const refusals = [
      recordsFrom(inputOf('c.ndjson', 'plain text\n')),
      recordsFrom(inputOf('d.ndjson', '{"a":"b"}'), 0, { text: 'body' }),
      recordsFrom(inputOf('c.csv', 'a,b\n1,2\n'), 0, { text: 'body' }),
      recordsFrom(inputOf('d.csv', 'text,b\n1,2\n'), 0, { id: 'key' }),
    ];
    const messages = (await Promise.allSettled(refusals)).map((refusal) =>
      String((refusal as PromiseRejectedResult).reason),
    );
    expect(messages).toEqual([
      expect.stringContaining('the first line: not valid JSON; see --format'),
      expect.stringContaining('the first line: no text under "body"'),
      expect.stringContaining('there is no column "body" among "a", "b"'),
      expect.stringContaining('there is no column "key" among "text", "b"'),
    ]);
  });

  it.each([
    ['r.txt', 'one\r\ntwo\n\nthree é\nfour'],
    ['r.txt.gz', 'one\r\ntwo\n\nthree é\nfour'],
    ['r.ndjson', NDJSON],
    ['r.ndjson.gz', NDJSON],
    ['r.csv', CSV],
    ['r.csv.gz', CSV],
    ['r.tsv', 'id\ttext\n1\tone\n2\ttwo\n'],
  ])('goes on behind any record of %s', async (name, content) => {
    const input = inputOf(name, content);
    const all = await recordsFrom(input);
    expect(all.length).toBeGreaterThan(1);
    for (const [n, { end }] of all.entries()) expect(await recordsFrom(input, end)).toEqual(all.slice(n + 1));
  });
});
