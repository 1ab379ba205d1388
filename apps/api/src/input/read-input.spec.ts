import { readInput } from './read-input.js';

const LIMITS = { maxInputs: 3, maxTextBytes: 20 };
const read = (input: Parameters<typeof readInput>[0]) => readInput(input, LIMITS);
const textsOf = async (input: Parameters<typeof readInput>[0]) => (await read(input)).values;

it('reads every form of an input as texts', async () => {
  expect(await textsOf('hello')).toEqual(['hello']);
  expect(await textsOf(['hello', 'world'])).toEqual(['hello', 'world']);
  // cl100k_base: "hello" is 15339, " world" is 1917.
  expect(await textsOf([15339, 1917])).toEqual(['hello world']);
  expect(await textsOf([[15339], [15339, 1917]])).toEqual(['hello', 'hello world']);
});

it('puts text together that token ids cut within a character', async () => {
  expect(await textsOf([[9468, 100, 103]])).toEqual(['🧪']);
});

it('makes text of halves of surrogate pairs that UTF-8 can carry', async () => {
  expect(await textsOf(['a\ud800', '\udc00b'])).toEqual(['a\ufffd', '\ufffdb']);
});

it.each<[string, Parameters<typeof readInput>[0], string, string, RegExp]>([
  ['an empty text', '', 'empty_text', 'input', /is an empty text/],
  ['an empty list', [], 'empty_input', 'input', /is an empty list/],
  ['an empty text in a list', ['a', ''], 'empty_text', 'input[1]', /is an empty text/],
  ['an empty list of ids', [[1], []], 'empty_text', 'input[1]', /is an empty list of token ids/],
  ['too many', ['a', 'b', 'c', 'd'], 'too_many_inputs', 'input', /4 items, more than the 3 .*EMBED_MAX_INPUTS/],
  ['bytes, not characters', 'ü'.repeat(11), 'text_too_large', 'input', /22 bytes, more than the 20 .*TEXT_BYTES/],
  ['more ids than bytes', [Array(21).fill(15339)], 'text_too_large', 'input[0]', /21 token ids, more than the 20/],
  ['ids of too many bytes', [Array(5).fill(15339)], 'text_too_large', 'input[0]', /25 bytes, more than the 20/],
  ['an id that is none', [1, 100_256], 'invalid_token_id', 'input[1]', /cl100k_base.* 100256.*ctx_length/],
  ['an id that is none, in a list', [[100_256]], 'invalid_token_id', 'input[0][0]', /cl100k_base/],
])('refuses %s', async (_, input, code, param, message) => {
  await expect(read(input)).rejects.toMatchObject({
    status: 400,
    code,
    param,
    message: expect.stringMatching(message),
  });
});

it('takes any number of inputs where the body alone bounds them', async () => {
  const { length } = await readInput(Array(100).fill('a'), { ...LIMITS, maxInputs: null });
  expect(length).toBe(100);
});

it('calls a list a list, even one of one text', async () => {
  const params = async (input: Parameters<typeof readInput>[0]) => {
    const inputs = await read(input);
    return inputs.values.map((_, index) => inputs.param(index));
  };
  expect(await params('a')).toEqual(['input']);
  expect(await params([15339, 1917])).toEqual(['input']);
  expect(await params(['a'])).toEqual(['input[0]']);
  expect(await params([[15339]])).toEqual(['input[0]']);
  expect(await params(['a', 'b'])).toEqual(['input[0]', 'input[1]']);
  await expect(read([''])).rejects.toMatchObject({ code: 'empty_text', param: 'input[0]' });
});
