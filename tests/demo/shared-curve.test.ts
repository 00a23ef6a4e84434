// The curve of a challenge in a link: short, exact to three digits, refused if it is damaged, compared with one's own.
import { expect, it } from 'vitest';
import { fromHash, toHash } from '../../demo/train/page/share-link.ts';
import { compare, curveOf, packCurve, unpackCurve } from '../../demo/train/page/shared-curve.ts';
import { errorAbout } from '../support/expect-error.ts';

const steps = Array.from({ length: 20_000 }, (_, i) => ({
  step: i + 1,
  loss: 7 * Math.exp(-i / 3000) + 0.3 * Math.abs(Math.sin(i)),
}));

it('has at most 200 points, and survives a link', () => {
  const curve = curveOf(steps);
  expect(curve.length).toBeLessThanOrEqual(200);
  expect(curve.at(-1)?.[0]).toBe(20_000);
  const text = packCurve(curve);
  expect(text).toMatch(/^[\w-]+$/);
  expect(text.length).toBeLessThan(1200);
  for (const [i, [step, loss]] of unpackCurve(text).entries()) {
    expect(step).toBe(curve[i]?.[0]);
    expect(loss).toBeCloseTo(curve[i]?.[1] ?? Number.NaN, 2);
  }
  const corpus = { kind: 'task', task: 'sort', pairs: 1000, seed: 3 } as const;
  const hash = toHash({ corpus, settings: { learningRate: 0.003 } }, curve) ?? '';
  expect(fromHash(hash)).toMatchObject({ corpus, settings: { learningRate: 0.003 } });
  expect(fromHash(hash)?.curve).toEqual(unpackCurve(text));
  expect(fromHash(toHash({ corpus, settings: {} }) ?? '')?.curve).toBeUndefined();
});

it('refuses a curve that is damaged, with steps that do not rise or with too many points', () => {
  const zeros = btoa(String.fromCharCode(...Array(8).fill(0)));
  const many = packCurve(Array.from({ length: 201 }, (_, i) => [i + 1, 1] as const));
  for (const text of ['', '!', packCurve([[1, 2]]).slice(0, 2), zeros, many])
    expect(() => unpackCurve(text), text).toThrow(
      errorAbout({ template: 'its curve is damaged or cut off' }),
    );
});

it('compares mean losses of the same steps', () => {
  const curve = [
    [10, 3],
    [20, 2],
    [30, 1],
  ] as const;
  const run = (last: number) => ({
    xs: Array.from({ length: last }, (_, i) => i + 1),
    ys: Array.from({ length: last }, (_, i) => (i < 10 ? 4 : 1)),
  });
  expect(compare(run(5), curve)).toBeUndefined();
  expect(compare(run(12), curve)).toEqual({ step: 10, own: 4, other: 3 });
  expect(compare(run(25), curve)).toEqual({ step: 20, own: 1, other: 2 });
});
