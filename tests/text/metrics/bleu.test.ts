// The published values are those of sacreBLEU's own tests (test/test_bleu.py and test/test_sentence_bleu.py
// of mjpost/sacrebleu, version 2) and README; their tests allow 1e-8 and 1e-3, the README prints two places.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BleuOptions,
  type BleuScore,
  bleuFromCounts,
  corpusBleu,
  sentenceBleu,
  tokenize13a,
} from '../../../src/text/metrics/bleu.ts';
import { errorAbout } from '../../support/expect-error.ts';

const translations = ['The dog bit the man.', "It wasn't surprising.", 'The man had just bitten him.'];
const references = [
  ['The dog bit the man.', 'The dog had bit the man.'],
  ['It was not unexpected.', 'No one was surprised.'],
  ['The man bit him first.', 'The man had bitten the dog.'],
];

/** What sacreBLEU prints of a score, to as many places. */
const printed = ({ score, precisions, brevityPenalty, length, referenceLength }: BleuScore) => [
  score.toFixed(2),
  precisions.map((p) => p.toFixed(1)).join('/'),
  brevityPenalty.toFixed(3),
  length,
  referenceLength,
];

describe('corpus BLEU has the published value', () => {
  it.each<[string, BleuOptions, number]>([
    ['of the README', {}, 48.530827],
    ['without tokenizing', { tokenize: 'none' }, 49.1919566],
    ['without smoothing', { smoothing: 'none' }, 48.530827],
  ])('%s', (_, options, value) => {
    expect(Math.abs(corpusBleu(translations, references, options).score - value)).toBeLessThan(1e-6);
  });

  it('for all fields of the README example', () => {
    const bleu = corpusBleu(translations, references);
    expect(printed(bleu)).toEqual(['48.53', '82.4/50.0/45.5/37.5', '0.943', 17, 18]);
    expect(bleu.signature).toBe('nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp');
  });

  it('if one sentence has fewer references', () => {
    const bleu = corpusBleu(translations, [['', 'The dog had bit the man.'], ...references.slice(1)]);
    expect(printed(bleu)).toEqual(['29.44', '82.4/42.9/27.3/12.5', '0.889', 17, 19]);
    expect(bleu.signature).toBe('nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp');
  });

  it('of empty translations, which is 0', () => {
    expect(corpusBleu(['', '', ''], references).score).toBe(0);
  });

  // raw_corpus_bleu there: no tokenizing, a floor, and effective order.
  it.each<[string[], string[], number]>([
    [['this is a test', 'another test'], ['ref1', 'ref2'], 0],
    [['this is a test'], ['this is a test'], 100],
    [['this is a fest'], ['this is a test'], 22.3606797749979],
    [['test'], ['a test'], 36.78794411714425],
    [['a test'], ['a test'], 100],
    [['a little test'], ['a test'], 3.218297948685433],
  ])('of raw %j against %j', (found, wanted, value) => {
    const options = {
      tokenize: 'none',
      smoothing: 'floor',
      smoothingValue: 0.01,
      effectiveOrder: true,
    } as const;
    const { score } = corpusBleu(
      found,
      wanted.map((text) => [text]),
      options,
    );
    expect(score).toBeCloseTo(value, 8);
  });

  it('of counts', () => {
    const counts = { counts: [9, 7, 5, 3], totals: [10, 8, 6, 4], length: 11, referenceLength: 11 };
    expect(bleuFromCounts(counts).score).toBeCloseTo(83.75922397, 6);
  });
});

it('counts n-grams as published, each as often as the reference has it', () => {
  const found = 'am I am a character sequence';
  const options = { tokenize: 'none', smoothing: 'floor', effectiveOrder: true } as const;
  const bleu = corpusBleu([found], [['I am a symbol string sequence a a']], options);
  expect(bleu.counts).toEqual([4, 2, 1, 0]);
  expect(bleu.totals).toEqual([6, 5, 4, 3]);
  expect(bleu.score).toBeCloseTo(15.55722182, 6);
  expect(bleu.signature).toBe('nrefs:1|case:mixed|eff:yes|tok:none|smooth:floor[0.10]');
  expect(
    corpusBleu([found], [['I am a symbol string sequence a a']], { ...options, smoothingValue: 0 }).score,
  ).toBe(0);
});

describe('sentence BLEU has the published value', () => {
  const reference = 'producţia de zahăr brut se exprimă în zahăr alb;';
  const found = 'Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;';
  it.each<[BleuOptions, number]>([
    [{ smoothing: 'exp' }, 8.493],
    [{ smoothing: 'none' }, 0],
    [{ smoothing: 'floor' }, 4.51688],
    [{ smoothing: 'floor', smoothingValue: 0.1 }, 4.51688],
    [{ smoothing: 'floor', smoothingValue: 0.5 }, 10.1],
    [{ smoothing: 'add-k' }, 14.882],
    [{ smoothing: 'add-k', smoothingValue: 1 }, 14.882],
    [{ smoothing: 'add-k', smoothingValue: 2 }, 21.389],
    [{ tokenize: 'none' }, 7.347],
    [{ tokenize: 'char' }, 40.8759],
    [{ tokenize: 'char', lowercase: true }, 42.0267],
  ])('with %j', (options, value) => {
    expect(Math.abs(sentenceBleu(found, [reference], options).score - value)).toBeLessThan(1e-3);
  });

  it.each<BleuOptions>([{}, { smoothing: 'none' }, { smoothing: 'floor' }, { smoothing: 'add-k' }])(
    'of no match at all, which is 0 with %j too',
    (options) => {
      expect(sentenceBleu('this is a cat', ['okay thanks'], options).score).toBe(0);
    },
  );
});

describe('by hand', () => {
  it('halves a zero precision for each such order', () => {
    // 5 tokens, matches 3 of 5 and 1 of 4; none of 3 and of 2: 1/(2·3) and 1/(4·2). Lengths are equal.
    const { score, precisions } = corpusBleu(['a b x c y'], [['a b z w c']]);
    expect(precisions.map((p) => p / 100)).toEqual(
      [3 / 5, 1 / 4, 1 / 6, 1 / 8].map((p) => expect.closeTo(p, 12)),
    );
    expect(score).toBeCloseTo(100 * (0.6 * 0.25 * (1 / 6) * (1 / 8)) ** 0.25, 10);
  });

  it('computes the brevity penalty from the reference closest in length, the shorter on ties', () => {
    const near = corpusBleu(['a b c d'], [['a b c d e f', 'a b c d e']]);
    expect([near.length, near.referenceLength]).toEqual([4, 5]);
    expect(near.score).toBeCloseTo(100 * Math.exp(1 - 5 / 4), 10);
    expect(corpusBleu(['a b c d'], [['a b c d e', 'a b c']]).referenceLength).toBe(3);
    expect(corpusBleu(['a b c d'], [['a b c', 'a b c d e']]).referenceLength).toBe(3);
  });

  it('clips counts to the maximum of the references', () => {
    expect(corpusBleu(['a a a b'], [['a a c d', 'a b b b']]).counts).toEqual([3, 2, 0, 0]);
  });

  it('sums counts over the corpus before division', () => {
    const { counts, totals } = corpusBleu(['a b c d', 'x'], [['a b c d'], ['y']]);
    expect([counts, totals]).toEqual([
      [4, 3, 2, 1],
      [5, 3, 2, 1],
    ]);
  });

  it('is 0 if all sentences are shorter than the order, unless effectiveOrder is set', () => {
    expect(corpusBleu(['a b'], [['a b']]).score).toBe(0);
    expect(corpusBleu(['a b'], [['a b']], { effectiveOrder: true }).score).toBeCloseTo(100, 10);
    expect(sentenceBleu('a b', ['a b']).score).toBeCloseTo(100, 10);
  });

  it('ignores case if asked to', () => {
    expect(corpusBleu(['ÁRBOL ΣΑΣ'], [['árbol σας']], { order: 1 }).score).toBe(0);
    const bleu = corpusBleu(['ÁRBOL ΣΑΣ'], [['árbol σας']], { order: 1, lowercase: true });
    expect(bleu.score).toBeCloseTo(100, 10);
    expect(bleu.signature).toContain('case:lc');
  });
});

it('gives exactly 100 for a perfect corpus, of any length and with any smoothing', () => {
  for (let words = 4; words <= 30; words++) {
    const texts = [0, 1, 2].map((k) =>
      Array.from({ length: words + k }, (_, i) => `w${(i * 7 + k) % 11}`).join(' '),
    );
    for (const smoothing of ['exp', 'floor', 'add-k', 'none'] as const)
      expect(
        corpusBleu(
          texts,
          texts.map((text) => [text]),
          { smoothing },
        ).score,
      ).toBe(100);
  }
});

it('gives 100 for identical texts, and always a score from 0 to 100', () => {
  const word = fc.constantFrom('a', 'b', 'c', 'd.', '1,5');
  const text = fc.array(word, { minLength: 4, maxLength: 9 }).map((words) => words.join(' '));
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 5 }), (pairs) => {
      const [found, wanted] = [pairs.map((p) => p[0]), pairs.map((p) => [p[1]])];
      for (const smoothing of ['exp', 'floor', 'add-k', 'none'] as const) {
        const { score } = corpusBleu(found, wanted, { smoothing });
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100 + 1e-9);
      }
      expect(
        corpusBleu(
          found,
          found.map((x) => [x]),
        ).score,
      ).toBeCloseTo(100, 9);
    }),
    { numRuns: 50 },
  );
});

it('names invalid arguments', () => {
  expect(() => corpusBleu([], [])).toThrow(errorAbout({ area: 'bleu' }));
  expect(() => corpusBleu(['a'], [])).toThrow(errorAbout({ area: 'bleu', values: [1, 0] }));
  expect(() => corpusBleu(['a', 'b'], [['a'], ['']])).toThrow(errorAbout({ area: 'bleu', values: [2] }));
  expect(() => corpusBleu(['a'], [['a']], { order: 0 })).toThrow(errorAbout({ area: 'bleu', values: [0] }));
  expect(() => corpusBleu(['a'], [['a']], { smoothing: 'exponential' as never })).toThrow(
    errorAbout({ area: 'bleu', values: ['exponential', 'exp'] }),
  );
});

// Worked out by hand from the four rules of mteval-v13a.
it.each([
  ['Hola, mundo.', 'Hola , mundo .'],
  ['', ''],
  ['   ', ''],
  ["It wasn't 'so'.", "It wasn't 'so' ."],
  ['1,234.50 and .5, 3. x', '1,234.50 and . 5 , 3 . x'],
  ['10-20 well-known -5 1-', '10 - 20 well-known -5 1 -'],
  ['3.', '3 .'],
  ['a...b', 'a . . . b'],
  ['9..9', '9 . . 9'],
  ['9.9', '9.9'],
  ['(a) [b] {c} <d> "e" `f`', '( a ) [ b ] { c } < d > " e " ` f `'],
  ['50% a/b a\\b x=y #1 $5 &c @d ^e ~f |g _h *i +j ;k :l ?m !n', null],
  ['¿Qué? ¡Sí! «no» “x” …', '¿Qué ? ¡Sí ! «no» “x” …'],
  ['&quot;a&quot; &amp;lt; &lt;b&gt; &nbsp;', '" a " < < b > & nbsp ;'],
  ['a<skipped>b', 'ab'],
  ['hy-\nphen\nnew', 'hyphen new'],
  ['a\u00a0b\u2003c\u3000d\u0085e\u001ff', 'a b c d e f'],
  ['a\ufeffb a\u200bc', 'a\ufeffb a\u200bc'],
  ['𝒳.𝒳,5', '𝒳 . 𝒳 , 5'],
  ['日本。', '日本。'],
])('cuts %j', (text, wanted) => {
  const all = '50 % a / b a \\ b x = y # 1 $ 5 & c @ d ^ e ~ f | g _ h * i + j ; k : l ? m ! n';
  expect(tokenize13a(text).join(' ')).toBe(wanted ?? all);
});
