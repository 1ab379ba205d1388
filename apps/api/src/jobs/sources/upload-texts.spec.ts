import { InputReader } from '../../input/input-reader.js';
import { textOfLine } from './upload-texts.js';

const line = (text: string) => ({ number: 7, text });
const upTo = (maxTextBytes: number) => new InputReader({ maxInputs: 1, maxTextBytes });

describe('the text of a line', () => {
  it('is a JSON string, or stands under input or text', () => {
    expect(textOfLine(line('"a \\u00e9"'), upTo(100))).toBe('a é');
    expect(textOfLine(line('{"input": "b", "id": 3}'), upTo(100))).toBe('b');
    expect(textOfLine(line('{"text": "c"}'), upTo(100))).toBe('c');
    expect(textOfLine(line('" "'), upTo(100))).toBe(' ');
    expect(textOfLine(line(String.raw`"\ud83d\ude00 \ud83d"`), upTo(100))).toBe('😀 \ufffd');
  });

  it.each([
    ['{"input": "b"', 'invalid_json'],
    ['plain', 'invalid_json'],
    ['"a" "b"', 'invalid_json'],
    ['42', 'invalid_line'],
    ['null', 'invalid_line'],
    ['["a"]', 'invalid_line'],
    ['{"input": ["a"]}', 'invalid_line'],
    ['{"other": "a"}', 'invalid_line'],
    ['""', 'empty_text'],
    ['{"input": ""}', 'empty_text'],
    ['"ééééé!"', 'text_too_large'],
  ])('is refused in %s as %s, by line', (text, code) => {
    expect(() => textOfLine(line(text), upTo(10))).toThrow(
      expect.objectContaining({ status: 400, code, param: 'line 7', message: expect.stringContaining('Line 7 ') }),
    );
  });

  it('may have as many bytes of UTF-8 as the limit says', () => {
    expect(textOfLine(line('"ééééé"'), upTo(10))).toBe('ééééé');
  });
});

it('a refused line is not quoted: errors end up in logs', () => {
  expect(() => textOfLine(line('{"input": secret}'), upTo(100))).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('secret') }),
  );
});
