import { estimateTokens } from './token-estimate.js';

it('takes four bytes for a token, begun ones too', () => {
  expect(estimateTokens(['1234', '12345', 'ééé'], 512)).toBe(1 + 2 + 2);
});

it('takes an empty text for one token, and a long one for as many as the model reads', () => {
  expect(estimateTokens(['', 'x'.repeat(1_000_000)], 512)).toBe(1 + 512);
});
