import { aligned } from './aligned.js';

describe('aligned', () => {
  it('puts names to the left and numbers to the right of equally wide columns', () => {
    expect(
      aligned([
        ['job', 'texts/s'],
        ['again, cached', '12,345'],
        ['first', '1'],
      ]),
    ).toEqual(['job            texts/s', 'again, cached   12,345', 'first                1']);
  });
});
