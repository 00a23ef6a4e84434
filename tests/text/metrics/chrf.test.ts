// The published values are those of sacreBLEU's README and tests (test/test_chrf.py of mjpost/sacrebleu,
// version 2; they allow 1e-4), and of Hugging Face's metric card for chrF, computed by sacreBLEU.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChrfOptions, corpusChrf, sentenceChrf } from '../../../src/text/metrics/chrf.ts';
import { errorAbout } from '../../support/expect-error.ts';

const lists = (texts: readonly string[]) => texts.map((text) => [text]);

describe('chrF has the published value', () => {
  const cats = [
    'The relationship between cats and dogs is not exactly friendly.',
    'a good bookshop is just a genteel black hole that knows how to read.',
  ];
  const wanted = lists([
    'The relationship between dogs and cats is not exactly friendly.',
    'A good bookshop is just a genteel Black Hole that knows how to read.',
  ]);
  it.each<[ChrfOptions, number]>([
    [{}, 84.64214891738334],
    [{ wordOrder: 2 }, 82.87263732906315],
    [{ wordOrder: 2, lowercase: true }, 92.12853119829202],
  ])('on the metric card with %j', (options, value) => {
    expect(corpusChrf(cats, wanted, options).score).toBeCloseTo(value, 9);
  });

  it('in the README, of two references', () => {
    const chrf = corpusChrf(
      ['The dog bit the man.', "It wasn't surprising.", 'The man had just bitten him.'],
      [
        ['The dog bit the man.', 'The dog had bit the man.'],
        ['It was not unexpected.', 'No one was surprised.'],
        ['The man bit him first.', 'The man had bitten the dog.'],
      ],
    );
    expect(chrf.score.toFixed(2)).toBe('59.73');
    expect(chrf).toMatchObject({ name: 'chrF2', signature: 'nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no' });
  });

  const scientists = [
    ' risk assessment must be made of those who are qualified and expertise in the sector - these are the scientists .',
    'risk assessment has to be undertaken by those who are qualified and expert in that area - that is the scientists .',
  ] as const;
  const obama = 'Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade freundschaftlich.';
  it.each<[string[], string[], ChrfOptions, number]>([
    [['abcdefg'], ['hijklmnop'], { epsSmoothing: true }, 0],
    [['a'], ['b'], { epsSmoothing: true }, 0],
    [[''], ['b'], { epsSmoothing: true }, 0],
    [[''], ['reference'], { epsSmoothing: true }, 0],
    [['aa'], ['ab'], { epsSmoothing: true }, 8.3333],
    [['a', 'b'], ['a', 'c'], { epsSmoothing: true }, 8.3333],
    [['a'], ['a'], { epsSmoothing: true }, 16.6667],
    [['a b c'], ['a b c'], { epsSmoothing: true }, 50],
    [['a b c'], ['abc'], { epsSmoothing: true }, 50],
    [[scientists[0]], [scientists[1]], { epsSmoothing: true }, 63.36173],
    [
      [' Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. '],
      [obama],
      { epsSmoothing: true },
      64.1302698,
    ],
    [['a'], ['a'], {}, 100],
    [[''], ['reference'], {}, 0],
    [['a b c'], ['abc'], {}, 100],
    [[''], ['c'], {}, 0],
    [['a', 'b'], ['a', 'c'], {}, 50],
    [['aa'], ['ab'], {}, 25],
    [
      ['Die Beziehung zwischen Obama und Netanjahu ist nicht gerade freundlich.'],
      [obama],
      { whitespace: true },
      67.3481606,
    ],
    [[scientists[0].trim()], [scientists[1]], { whitespace: true }, 65.2414427],
  ])('in the tests: %j against %j with %j', (found, reference, options, value) => {
    const { score } = corpusChrf(found, lists(reference), { beta: 3, ...options });
    expect(Math.abs(score - value)).toBeLessThan(1e-4);
  });

  it.each([
    [
      'Co nás nejvíc trápí, protože lékaři si vybírají, kdo bude žít a kdo zemře.',
      'Nejvíce smutní jsme z toho, že musíme rozhodovat o tom, kdo bude žít a kdo zemře.',
      39.14078509,
    ],
    [
      'Nebo prostě nemají vybavení, které by jim pomohlo, uvedli lékaři.',
      'A někdy nemáme ani potřebný materiál, abychom jim pomohli, popsali lékaři.',
      31.22557079,
    ],
    [
      'Lapali po dechu, jejich životy skončily dřív, než skutečně začaly.',
      'Lapali po dechu a pak jejich život skončil - dřív, než skutečně mohl začít, připomněli.',
      57.15704367,
    ],
  ])('of the sentence %j', (found, reference, value) => {
    expect(sentenceChrf(found, [reference], { epsSmoothing: true }).score).toBeCloseTo(value, 4);
  });
});

describe('by hand', () => {
  it('averages precision and recall over the orders that both sides have', () => {
    // ab|c of abc, abd: order 1 has 2 of 3, order 2 has 1 of 2, order 3 none of 1; 4 to 6 are of neither.
    const mean = (2 / 3 + 1 / 2 + 0) / 3;
    expect(corpusChrf(['a b c'], [['ab d']]).score).toBeCloseTo(100 * mean, 10);
    // Lengths 2 and 4: order 1: 2/2, 2/4; order 2: 1/1, 1/3; the reference's orders 3 and 4 are not the
    // translation's.
    const [precision, recall] = [1, (1 / 2 + 1 / 3) / 2];
    expect(corpusChrf(['ab'], [['abcd']]).score).toBeCloseTo(
      (100 * 5 * precision * recall) / (4 * precision + recall),
      10,
    );
  });

  it('uses the best reference of each sentence, the first on ties', () => {
    const best = corpusChrf(
      ['abc', 'xyz'],
      [
        ['abd', 'abc'],
        ['xyz', 'q'],
      ],
    );
    expect(best.score).toBe(100);
  });

  it('counts characters, not UTF-16 units', () => {
    expect(corpusChrf(['𝒳𝒴'], [['𝒳𝒵']], { charOrder: 1 }).score).toBeCloseTo(50, 10);
  });

  it('splits one punctuation mark off a word for chrF++', () => {
    // hi! against hi is two words against one; of (hi) only the last mark is split off.
    expect(corpusChrf(['hi)'], [['hi )']], { wordOrder: 2 }).score).toBe(100);
    expect(corpusChrf(['(hi'], [['( hi']], { wordOrder: 2 }).score).toBe(100);
    expect(corpusChrf(['(hi)'], [['( hi )']], { wordOrder: 2 }).score).toBeLessThan(100);
    const { score, name } = corpusChrf(['hi!'], [['hi']], { charOrder: 1, wordOrder: 1 });
    const [precision, recall] = [(2 / 3 + 1 / 2) / 2, 1];
    expect(score).toBeCloseTo((100 * 5 * precision * recall) / (4 * precision + recall), 10);
    expect(name).toBe('chrF2+');
  });
});

it('gives 100 for identical texts, and always a score from 0 to 100', () => {
  const text = fc.string({
    unit: fc.constantFrom('a', 'b', ' ', '.', 'é', '𝒳'),
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(text, text, (found, wanted) => {
      for (const options of [{}, { wordOrder: 2 }, { epsSmoothing: true }]) {
        const { score } = sentenceChrf(found, [wanted], options);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100 + 1e-9);
      }
      if (wanted.trim()) expect(sentenceChrf(wanted, [wanted]).score).toBeCloseTo(100, 9);
    }),
    { numRuns: 200 },
  );
});

it('names invalid arguments', () => {
  expect(() => corpusChrf([], [])).toThrow(errorAbout({ area: 'chrf' }));
  expect(() => corpusChrf(['a', 'b'], [['a']])).toThrow(errorAbout({ area: 'chrf', values: [2, 1] }));
  expect(() => sentenceChrf('a', [])).toThrow(errorAbout({ area: 'chrf', values: [1] }));
  expect(() => corpusChrf(['a'], [['a']], { charOrder: 0 })).toThrow(
    errorAbout({ area: 'chrf', values: ['charOrder', 0] }),
  );
});
