import { bytes, count, counted, duration, percent, short, shortId, similarity } from './format.js';

describe('figures', () => {
  it.each([
    [0, '0 s'],
    [0.0042, '4.2 ms'],
    [0.0421, '42 ms'],
    [0.9994, '999 ms'],
    [0.9996, '1.0 s'],
    [9.94, '9.9 s'],
    [42.4, '42 s'],
    [100, '2 min'],
    [3599, '1 h'],
    [3_720, '1 h 2 min'],
    [100_000, '1 d 4 h'],
    [null, '–'],
  ])('says %p seconds as %p', (seconds, said) => {
    expect(duration(seconds)).toBe(said);
  });

  it.each([
    [0, '0'],
    [3.14, '3.1'],
    [950, '950'],
    [9_999, '9,999'],
    [12_345, '12.3k'],
    [123_456, '123k'],
    [999_949, '1,000k'],
    [1_234_567, '1.2M'],
    [null, '–'],
  ])('shortens %p to %p', (value, said) => {
    expect(short(value)).toBe(said);
  });

  it('puts thousands apart and knows one from many', () => {
    expect(count(1_234_567)).toBe('1,234,567');
    expect(counted(1, 'text')).toBe('1 text');
    expect(counted(0, 'text')).toBe('0 texts');
  });

  it('gives ratios and sizes their unit', () => {
    expect([percent(0.9871), percent(1), percent(null)]).toEqual(['98.7 %', '100 %', '–']);
    expect([bytes(640 * 2 ** 20), bytes(1.5 * 2 ** 30)]).toEqual(['640 MiB', '1.50 GiB']);
  });

  it('shortens an id to the end that tells it apart', () => {
    expect(shortId('job_0193a5c2f0a17c3e8d21b4f6a9c0e155')).toBe('…b4f6a9c0e155');
    expect(shortId('w-3f9c')).toBe('w-3f9c');
  });

  it('has no negative nought', () => {
    expect([similarity(-0.001), similarity(-0.25), similarity(1)]).toEqual(['0.00', '-0.25', '1.00']);
  });
});
