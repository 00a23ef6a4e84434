// Bootstrap resampling with the numbers of sacreBLEU 2.6.0 (`--paired-bs`), and NumPy's random numbers.
import { expect, it } from 'vitest';
import { bleuStatistics, corpusBleu } from '../../../src/text/metrics/bleu.ts';
import { differenceText, pairedBootstrap } from '../../../src/text/metrics/bootstrap.ts';
import { chrfStatistics } from '../../../src/text/metrics/chrf.ts';
import { NumpyRandom } from '../../../src/text/metrics/numpy-random.ts';
import { errorAbout } from '../../support/expect-error.ts';

it("gives the numbers of NumPy's generator", () => {
  const numbers = (seed: number, n: number) => [...new NumpyRandom(seed).integers(n, 8)];
  expect(numbers(12345, 7)).toEqual([4, 1, 5, 2, 1, 5, 4, 4]);
  expect(numbers(12345, 3543)).toEqual([2477, 805, 2794, 1122, 723, 2825, 2277, 2395]);
  expect(numbers(1, 1_000_000)).toEqual([473188, 511821, 755167, 950463, 34852, 144159, 822943, 948649]);
});

const references = [
  'new old cat tree.',
  'sees red new a new the small.',
  'sees house old dog dog on sees old big.',
  'sees runs red big cat dog red.',
  'big small old runs.',
  'the red under a cat under new the.',
  'under the big big house.',
  'new on small small runs on.',
  'small runs runs on under new sees small cat.',
  'a the cat sees dog.',
  'red runs under red big.',
  'runs old big runs new.',
  'old new runs new dog.',
  'red small small the big.',
  'new red on cat on.',
  'tree old small new new a on red dog.',
  'big new house house a a sees big.',
  'sees a tree under a runs small cat.',
  'house runs under.',
  'big a the new new under.',
  'runs on new.',
  'old small small house old.',
  'the house the a.',
  'new old the.',
  'runs house new house.',
  'on the big tree.',
  'tree cat small big runs.',
  'sees big old runs red big.',
  'red old a new under old house.',
  'red on on dog small house.',
  'house old house old tree the.',
  'runs new tree the runs new new red cat.',
  'red red tree.',
  'tree red small tree new on.',
  'on sees the new the.',
  'the tree house red sees house new new.',
  'cat tree cat tree under.',
  'big new house house under.',
  'a under big the new red.',
  'cat house old dog red under house dog.',
];
const outputs = [
  [
    'new old cat new',
    'sees red new a new tree small.',
    'new house a dog dog on sees old big.',
    'sees new red house cat dog red.',
    'big small old runs',
    'the red under a cat under new the.',
    'sees the big big house.',
    'new a small small dog small',
    'small runs small on under on old small cat.',
    'a the cat sees dog.',
    'red runs under red big.',
    'old old dog runs new.',
    'old new red new dog.',
    'red new small the big.',
    'new the on the the',
    'tree old small a new a on red tree',
    'big the house house cat sees sees big.',
    'sees a tree under a runs small cat.',
    'house runs old',
    'big a the cat new under.',
    'runs on new.',
    'old small big house old.',
    'the house tree a.',
    'new old the.',
    'runs a new house.',
    'on the big tree.',
    'a cat small big runs.',
    'sees under old runs old big.',
    'red tree a a cat old house.',
    'red on on dog small house.',
    'house old small old tree on',
    'runs new tree the runs new a red cat.',
    'red red tree.',
    'tree under new tree new on.',
    'on sees the new the.',
    'the tree house red sees house new new.',
    'cat tree on tree under.',
    'big new house house under.',
    'a under big the new red.',
    'dog house old dog red dog house new',
  ],
  [
    'new old cat big',
    'cat red new a small tree small.',
    'sees house tree dog dog new sees old tree',
    'house runs small big old dog red.',
    'big small red runs.',
    'the red tree a cat sees new house',
    'under the red big tree',
    'new on small small runs on.',
    'small runs runs sees under a cat small cat.',
    'a the runs cat old',
    'on runs under red big.',
    'runs old big runs house',
    'old new runs new on',
    'runs small small the new',
    'runs red on cat house',
    'tree big small new new a on red dog.',
    'big new big house dog a under big.',
    'cat a tree old big runs small cat.',
    'house runs under.',
    'under small tree new new under.',
    'tree on new.',
    'old big small house a',
    'the house the a.',
    'new old the.',
    'runs the new house.',
    'on the big big',
    'tree cat small big runs.',
    'sees small house runs red big.',
    'red the a tree sees old the',
    'runs on on new sees big',
    'sees old on runs sees small',
    'a new tree the runs the new under cat.',
    'red red tree.',
    'tree tree small tree red on.',
    'new the the old the',
    'old tree under red sees house new house',
    'cat tree cat tree runs',
    'runs new house house under.',
    'a under big the new under',
    'cat under old dog red under house dog.',
  ],
];

const expected = {
  bleu: [
    { score: 58.49780538837568, mean: 58.56819592794824, interval: 10.692123563259155, p: undefined },
    {
      score: 41.000408371380836,
      mean: 40.83304066357851,
      interval: 9.77511994359818,
      p: 0.007992007992007992,
    },
  ],
  chrf: [
    { score: 71.69515369469973, mean: 71.83423614501953, interval: 7.058444976806641, p: undefined },
    {
      score: 57.97299412796358,
      mean: 57.90731430053711,
      interval: 7.231655120849609,
      p: 0.001998001998001998,
    },
  ],
};

it.each(['bleu', 'chrf'] as const)('gives the intervals and p-values of sacreBLEU for %s', (metric) => {
  const statistics = outputs.map((texts) =>
    metric === 'bleu'
      ? bleuStatistics(texts, references)
      : chrfStatistics(texts, references, { wordOrder: 2 }),
  );
  const found = pairedBootstrap(statistics);
  for (const [i, { p, ...scores }] of found.entries()) {
    const wanted = expected[metric][i];
    // sacreBLEU computes with float32.
    for (const name of ['score', 'mean', 'interval'] as const)
      expect(scores[name]).toBeCloseTo(wanted?.[name] ?? Number.NaN, 4);
    expect(p).toBe(wanted?.p);
  }
  if (metric === 'bleu') expect(found[0]?.score).toBe(corpusBleu(outputs[0] ?? [], references).score);
});

it('throws for systems of different sentences', () => {
  const statistics = [1, 2].map((n) => bleuStatistics(Array(n).fill('a'), Array(n).fill('a')));
  expect(() => pairedBootstrap(statistics)).toThrow(errorAbout({ area: 'bootstrap', values: [2, 1] }));
});

it('says that a system equals the first one, whose p-value says nothing', () => {
  const texts = ['the cat sat', 'a dog ran'];
  const references = ['the cat sat down', 'a dog'];
  const [same, other] = [texts, ['the cat', 'a dog ran']].map((list) => bleuStatistics(list, references));
  const [first, second, third] = pairedBootstrap([bleuStatistics(texts, references), same, other] as never, {
    samples: 50,
  });
  expect([first?.isIdentical, second?.isIdentical, third?.isIdentical]).toEqual([undefined, true, undefined]);
  expect(second && differenceText(second)).toBe('identical');
  expect(third && differenceText(third)).toMatch(/^p = 0\.\d{4}$/);
});
