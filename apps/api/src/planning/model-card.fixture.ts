import type { EmbedCard, ModelCard } from '#contracts';

/** A model as a worker would announce it. @param changes of the card, or of what it says of embedding */
export function modelCard({
  embed,
  ...changes
}: Partial<Omit<ModelCard, 'operations'>> & { readonly embed?: Partial<EmbedCard> } = {}): ModelCard {
  return {
    name: 'm',
    fingerprint: 'f'.repeat(64),
    source: 'folder:/m',
    dtype: 'fp32',
    maxTokens: 512,
    prompts: {},
    operations: { embed: { dimensions: 4, pooling: 'mean', normalize: true, matryoshka: [], ...embed } },
    createdAt: 1,
    ...changes,
  };
}
