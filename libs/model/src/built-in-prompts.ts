/**
 * Query prompts of model families that give them only in the text of their model cards, not in their files. Only
 * `query` inputs get one; documents of these families have no prompt.
 */
const FAMILIES: readonly (readonly [name: RegExp, query: string])[] = [
  [/bge-(small|base|large)-zh(-v1\.5)?(@|$)/, '为这个句子生成表示以用于检索相关文章：'],
  [/bge-(small|base|large)-en(-v1\.5)?(@|$)/, 'Represent this sentence for searching relevant passages: '],
];

/** @param source of the model, such as `hub:BAAI/bge-large-zh-v1.5@COMMIT` */
export function builtInPrompts(source: string): Record<string, string> {
  for (const [name, query] of FAMILIES) if (name.test(source)) return { query };
  return {};
}
