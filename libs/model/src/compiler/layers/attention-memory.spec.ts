import { groupedAttention, plainAttention, squareAttention } from './attention-memory.js';

it('counts the scores of all heads, and what a batch shares', () => {
  expect(squareAttention(12)('cpu')).toEqual({ perRow: 48, perBatch: 0 });
  expect(squareAttention(12, true)('cpu')).toEqual({ perRow: 48, perBatch: 48 });
  expect(groupedAttention(12, false, false)('cpu')).toEqual({ perRow: 48, perBatch: 0 });
  expect(groupedAttention(12, false, true)('cpu')).toEqual({ perRow: 48, perBatch: 4 });
});

it('counts what is held while a window is made where that is more', () => {
  expect(groupedAttention(3, false, true)('cpu')).toEqual({ perRow: 12, perBatch: 4 });
  expect(groupedAttention(16, true, true)('cpu')).toEqual({ perRow: 0, perBatch: 16 });
});

it('counts nothing for causal attention without a window, which a CPU computes in blocks; other devices do not', () => {
  expect(groupedAttention(16, true, false)('cpu')).toEqual({ perRow: 0, perBatch: 0 });
  for (const provider of ['cuda', 'webgpu'] as const) {
    expect(groupedAttention(16, true, false)(provider)).toEqual(plainAttention(16));
    expect(squareAttention(16)(provider)).toEqual(plainAttention(16));
    expect(squareAttention(16, true)(provider)).toEqual({ perRow: plainAttention(16).perRow + 64, perBatch: 64 });
  }
});
