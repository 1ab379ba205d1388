import { project, similarities } from './projection.js';

/** Points of a plane, turned into a space of more dimensions. */
const TURN = [
  [0.6, 0, 0.8, 0, 0],
  [0, 1, 0, 0, 0],
];
const inSpace = (points: readonly (readonly [number, number])[]) =>
  points.map(([x, y]) => TURN[0]!.map((a, i) => 7 + x * a + y * TURN[1]![i]!));
const distance = (a: readonly number[], b: readonly number[]) => Math.hypot(...a.map((x, i) => x - b[i]!));

describe('projection', () => {
  const flat = [
    [4, 1],
    [-3, 0.5],
    [0, -2],
    [-1, 0.5],
  ] as const;

  it('keeps all distances of vectors that lie in a plane', () => {
    const vectors = inSpace(flat);
    const { points, shares } = project(vectors);
    expect(shares[0] + shares[1]).toBeCloseTo(1, 9);
    for (const i of flat.keys())
      for (const j of flat.keys())
        expect(distance(points[i]!, points[j]!)).toBeCloseTo(distance(vectors[i]!, vectors[j]!), 6);
  });

  it('puts the direction of most difference first', () => {
    const { points, shares } = project(inSpace(flat));
    expect(shares[0]).toBeGreaterThan(shares[1]);
    const spread = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis] ** 2, 0);
    expect(spread(0)).toBeGreaterThan(spread(1));
  });

  it('is the same every time, with the largest coordinate of each axis positive', () => {
    const once = project(inSpace(flat));
    expect(project(inSpace(flat))).toEqual(once);
    for (const axis of [0, 1] as const) {
      const values = once.points.map((point) => point[axis]);
      expect(Math.max(...values)).toBeCloseTo(Math.max(...values.map(Math.abs)), 9);
    }
  });

  it('finds one axis only for two vectors, and none for one or for equal ones', () => {
    expect(project(inSpace(flat.slice(0, 2))).shares[0]).toBeCloseTo(1, 9);
    expect(project(inSpace(flat.slice(0, 2))).shares[1]).toBeCloseTo(0, 9);
    expect(project([[1, 2, 3]])).toEqual({ points: [[0, 0]], shares: [0, 0] });
    expect(
      project([
        [1, 2],
        [1, 2],
      ]).points,
    ).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe('similarities', () => {
  it('are cosines of unit vectors', () => {
    expect(
      similarities([
        [1, 0],
        [0.6, 0.8],
      ]),
    ).toEqual([
      [1, 0.6],
      [0.6, 1],
    ]);
  });
});
