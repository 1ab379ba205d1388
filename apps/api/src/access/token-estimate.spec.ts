import { embed } from '#contracts';
import { modelCard } from '../planning/model-card.fixture.js';
import { estimateTokens } from './token-estimate.js';

const plan = { card: modelCard({ maxTokens: 512 }), operation: embed };

it('takes four bytes for a token, begun ones too', () => {
  expect(estimateTokens(plan, ['1234', '12345', 'ééé'])).toBe(1 + 2 + 2);
});

it('takes an empty text for one token, and a long one for as many as the model reads', () => {
  expect(estimateTokens(plan, ['', 'x'.repeat(1_000_000)])).toBe(1 + 512);
});
