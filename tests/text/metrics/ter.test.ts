// tests/fixtures/ter.json has drawn texts with the scores of sacreBLEU 2 (TER.sentence_score). The published values are
// those of its tests (test/test_ter.py of mjpost/sacrebleu).
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { corpusTer, sentenceTer } from '../../../src/text/metrics/ter.ts';
import type { TerOptions } from '../../../src/text/metrics/ter-tokens.ts';
import { errorAbout } from '../../support/expect-error.ts';

interface Case {
  readonly hyp: string;
  readonly refs: readonly string[];
  readonly options: TerOptions;
  readonly score: number;
  readonly edits: number;
  readonly length: number;
}

const cases = JSON.parse(
  readFileSync(new URL('../../fixtures/ter.json', import.meta.url), 'utf8'),
) as readonly Case[];

describe('TER', () => {
  it('is that of sacreBLEU for drawn texts', () => {
    for (const { hyp, refs, options, score, edits, length } of cases) {
      const own = sentenceTer(hyp, refs, options);
      expect([hyp, own.edits, own.referenceLength]).toEqual([hyp, edits, length]);
      expect(own.score).toBeCloseTo(score, 8);
    }
  });

  it.each<[string, string, number]>([
    ['a b c d e', 'e a b c d', 20], // one shift
    ['a b c d e', 'a b c d e', 0],
    ['', 'a b', 100],
    ['x', ' ', 100],
    ['a b c', 'x y z', 100],
  ])('of "%s" with the reference "%s" is %d', (translation, reference, score) => {
    expect(sentenceTer(translation, [reference]).score).toBe(score);
  });

  it('sums edits and words over a corpus, and says its settings', () => {
    const { score, signature } = corpusTer(['the cat sat', 'a b'], [['the cat is sitting'], ['a b', 'a']]);
    expect(score).toBeCloseTo((100 * 2) / 5.5, 12);
    expect(signature).toBe('nrefs:var|case:lc|tok:tercom|norm:no|punct:yes|asian:no');
  });

  it('ignores case by default', () => {
    expect(sentenceTer('The Cat', ['the cat']).score).toBe(0);
    expect(sentenceTer('The Cat', ['the cat'], { lowercase: false }).score).toBe(100);
  });

  it('names an unknown option', () =>
    expect(() => corpusTer(['a'], [['a']], { normalise: true } as never)).toThrow(
      errorAbout({ area: 'ter', values: ['normalize'] }),
    ));
});
