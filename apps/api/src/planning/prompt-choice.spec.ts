import { modelCard } from './model-card.fixture.js';
import { choosePrompt, promptHeader, type PromptWishes } from './prompt-choice.js';

const ZH = '为这个句子生成表示以用于检索相关文章：';
const BGE_ZH = { query: ZH };
const E5 = { query: 'query: ', passage: 'passage: ' };
const NOMIC = { search_query: 'search_query: ', search_document: 'search_document: ', clustering: 'clustering: ' };
const GEMMA = { 'Retrieval-query': 'task: search result | query: ', 'Retrieval-document': 'title: none | text: ' };
const JINA = { 'retrieval.query': 'Represent the query: ', 'retrieval.passage': 'Represent the document: ' };
/** As sentence-transformers 5 saves a model without prompts. */
const EMPTY = { query: '', document: '' };

it.each<[string, Record<string, string>, PromptWishes, string | null]>([
  ['a query', BGE_ZH, { input_type: 'query' }, 'query'],
  ['a document without a prompt', BGE_ZH, { input_type: 'document' }, null],
  ['nothing', BGE_ZH, {}, null],
  ['a synonym of query', BGE_ZH, { input_type: 'search_query' }, 'query'],
  ['a document, which is a passage there', E5, { input_type: 'document' }, 'passage'],
  ['a passage', E5, { input_type: 'passage' }, 'passage'],
  ['a corpus, which is a passage there', E5, { input_type: 'corpus' }, 'passage'],
  ['a retrieval.passage', E5, { input_type: 'retrieval.passage' }, 'passage'],
  ['a RETRIEVAL_DOCUMENT', E5, { input_type: 'RETRIEVAL_DOCUMENT' }, 'passage'],
  ['a query, by the family name', NOMIC, { input_type: 'query' }, 'search_query'],
  ['a document, by the family name', NOMIC, { input_type: 'document' }, 'search_document'],
  ['a prompt that is no role', NOMIC, { input_type: 'clustering' }, 'clustering'],
  ['a query with a hyphen', GEMMA, { input_type: 'query' }, 'Retrieval-query'],
  ['a query with a dot', JINA, { input_type: 'query' }, 'retrieval.query'],
  ['a document with a dot', JINA, { input_type: 'document' }, 'retrieval.passage'],
  ['the first of several', { corpus: 'c', passage: 'p' }, { input_type: 'document' }, 'passage'],
  ['a prompt with an empty text', EMPTY, { input_type: 'query' }, null],
  ['an empty document before a passage', { ...EMPTY, passage: 'p' }, { input_type: 'document' }, null],
  ['a name', E5, { prompt_name: 'passage' }, 'passage'],
  ['the name of an empty prompt', EMPTY, { prompt_name: 'query' }, null],
  ['none, by name', E5, { prompt_name: 'none' }, null],
])('%s', (_, prompts, wishes, name) => {
  expect(choosePrompt(modelCard({ prompts }), wishes)).toEqual({ name, text: name === null ? '' : prompts[name] });
});

it('the default prompt is for requests that say nothing', () => {
  const card = modelCard({ prompts: E5, defaultPrompt: 'query' });
  expect(choosePrompt(card, {})).toEqual({ name: 'query', text: 'query: ' });
  expect(choosePrompt(card, { prompt_name: 'none' }).name).toBeNull();
  expect(choosePrompt({ ...card, prompts: BGE_ZH }, { input_type: 'document' }).name).toBeNull();
});

it('an instruction takes its place in the model’s own words', () => {
  const card = modelCard({ prompts: { query: 'q' }, instruction: 'Instruct: {instruction}\nQuery: ' });
  const expected = { name: 'instruction', text: "Instruct: Find $& 'duplicates'\nQuery: " };
  expect(choosePrompt(card, { instruction: "Find $& 'duplicates'" })).toEqual(expected);
  expect(choosePrompt(card, { instruction: "Find $& 'duplicates'", input_type: 'search_query' })).toEqual(expected);
});

it.each<[string, PromptWishes, string, string, RegExp]>([
  [
    'an unknown name',
    { prompt_name: 'pasage' },
    'unknown_prompt',
    'prompt_name',
    /"pasage".*"query", "passage", "none"/,
  ],
  ['an inherited name', { prompt_name: 'toString' }, 'unknown_prompt', 'prompt_name', /"toString"/],
  [
    'an input type that is neither a word nor a name',
    { input_type: 'classification' },
    'unknown_prompt',
    'input_type',
    /"classification" .* "query", "document", "passage"/,
  ],
  [
    'two names',
    { input_type: 'query', prompt_name: 'query' },
    'conflicting_prompts',
    'prompt_name',
    /prompt_name or input_type/,
  ],
  ['an instruction', { instruction: 'Find' }, 'instruction_not_supported', 'instruction', /"query", "passage"/],
  [
    'an instruction for documents',
    { instruction: 'Find', input_type: 'document' },
    'conflicting_prompts',
    'input_type',
    /only queries/,
  ],
  [
    'an instruction beside a name',
    { instruction: 'Find', prompt_name: 'query' },
    'conflicting_prompts',
    'prompt_name',
    /takes the place/,
  ],
])('%s is refused where the model does not have it', (_, wishes, code, param, message) => {
  const choose = () => choosePrompt(modelCard({ prompts: E5 }), wishes);
  expect(choose).toThrow(message);
  expect(choose).toThrow(expect.objectContaining({ status: 400, code, param }) as Error);
});

it('lists no name twice', () => {
  const choose = () => choosePrompt(modelCard({ prompts: { none: 'n', query: 'q' } }), { prompt_name: 'x' });
  expect(choose).toThrow(/it can be "none", "query"\.$/);
});

it('the header can hold every name', () => {
  expect(promptHeader(null)).toBe('none');
  expect(promptHeader('Retrieval-query')).toBe('Retrieval-query');
  expect(promptHeader('检索 query')).toBe('%E6%A3%80%E7%B4%A2%20query');
});
