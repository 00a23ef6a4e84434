// Hypotheses from the outputs of decoding steps.

import { describe, expect, it } from 'vitest';
import { BeamSearch } from '../../src/decode/beam-search.ts';
import { type DecodeOptions, decodeSettings } from '../../src/decode/decode-options.ts';
import { createRowSearch } from '../../src/decode/hypotheses.ts';
import { masked } from '../../src/engine/ops/decoding/next-token.ts';
import { smallModel } from '../support/model.ts';

const { c } = smallModel();
const settings = (options: DecodeOptions) => decodeSettings(options, c, 16);
const f = (...x: number[]) => Float32Array.from(x);
const i = (...x: number[]) => Int32Array.from(x);

describe('independent rows', () => {
  it('end at the end token and ignore later tokens', () => {
    const search = createRowSearch(2, c.endId, settings({ lengthPenalty: 'none' }));
    search.take({ token: i(5, 6), logProb: f(-1, -2) }, [0, 1]);
    search.take({ token: i(c.endId, 7), logProb: f(-3, -4) }, [0, 1]);
    expect([search.done(0), search.done(1)]).toEqual([true, false]);
    search.take({ token: i(9, c.endId), logProb: f(-9, -1) }, [0, 1]);
    expect(search.finish()).toEqual([
      [{ ids: [5], logProb: -4, logProbs: [-1, -3], score: -4, ended: true }],
      [{ ids: [6, 7], logProb: -7, logProbs: [-2, -4, -1], score: -7, ended: true }],
    ]);
  });

  it('count the end token in the length penalty', () => {
    const search = createRowSearch(2, c.endId, settings({}));
    search.take({ token: i(5, 5), logProb: f(-1, -1) }, [0, 1]);
    search.take({ token: i(c.endId, 6), logProb: f(-2, -2) }, [0, 1]);
    expect(search.finish().map(([h]) => h!.score)).toEqual([-1.5, -1.5]);
  });

  it('follow sentences that change places', () => {
    const search = createRowSearch(3, c.endId, settings({}));
    search.take({ token: i(4, 5, 6), logProb: f(0, 0, 0) }, [0, 1, 2]);
    search.take({ token: i(7, 8), logProb: f(0, 0) }, [2, -1]);
    expect(search.finish().map(([h]) => h!.ids)).toEqual([[4], [5], [6, 7]]);
  });

  it('return the best sample first', () => {
    const search = createRowSearch(1, c.endId, settings({ method: 'sample', numReturn: 3 }));
    search.take({ token: i(4, 5, 6), logProb: f(-2, -1, -3) }, [0]);
    expect(search.finish()[0]!.map((h) => h.ids)).toEqual([[5], [4], [6]]);
  });
});

describe('beams', () => {
  const none = masked;

  it('follow parents back to their tokens', () => {
    const beams = new BeamSearch(1, settings({ beams: 2, numReturn: 2, lengthPenalty: 'none' }));
    beams.take({ token: i(4, 5), parent: i(0, 0), total: f(-1, -2), ended: f(none, none) }, [0]);
    beams.take({ token: i(6, 7), parent: i(1, 0), total: f(-3, -4), ended: f(none, none) }, [0]);
    expect(beams.idsOf(0, 0)).toEqual([5, 6]);
    expect(beams.finish()[0]!.map((h) => h.ids)).toEqual([
      [5, 6],
      [4, 7],
    ]);
    // The end token extends the rows before the step.
    beams.take({ token: i(8, 9), parent: i(0, 0), total: f(-5, -6), ended: f(none, -4.5) }, [0]);
    expect(beams.finish()[0]![0]).toEqual({
      ids: [4, 7],
      logProb: -4.5,
      logProbs: [-1, -3, -0.5],
      score: -4.5,
      ended: true,
    });
  });

  const stops = (earlyStopping: DecodeOptions['earlyStopping'], running: number) => {
    const beams = new BeamSearch(1, settings({ beams: 1, method: 'beam', earlyStopping, maxNewTokens: 10 }));
    beams.take({ token: i(4), parent: i(0), total: f(running), ended: f(-2) }, [0]);
    return beams.done(0);
  };
  it('at the last position compare those that end with those that run', () => {
    const options = {
      beams: 2,
      method: 'beam',
      earlyStopping: true,
      maxNewTokens: 3,
    } as const;
    const beams = new BeamSearch(1, settings(options));
    beams.take({ token: i(4, 5), parent: i(0, 0), total: f(-1, -2), ended: f(-1, none) }, [0]);
    beams.take({ token: i(4, 5), parent: i(0, 0), total: f(-1.5, -2), ended: f(none, none) }, [0]);
    // Two have ended now, and with early stopping that ends the search; a running one has a better score.
    beams.take({ token: i(6, 7), parent: i(0, 1), total: f(-2, -3), ended: f(none, -4) }, [0]);
    expect(beams.finish()[0]![0]).toMatchObject({ ids: [4, 4, 6], ended: false });
  });
  it('stop as earlyStopping says', () => {
    // A finished hypothesis has -2 per token; the running one has -3, which over ten tokens would be -0.3.
    expect(stops(true, -3)).toBe(true);
    expect(stops(false, -3)).toBe(true);
    expect(stops('never', -3)).toBe(false);
    expect(stops(false, -1)).toBe(false);
    expect(stops('never', -30)).toBe(true);
  });

  it('keep at most `beams` finished hypotheses, and none after the search is done', () => {
    const beams = new BeamSearch(
      1,
      settings({ beams: 2, numReturn: 2, earlyStopping: true, lengthPenalty: 'none' }),
    );
    beams.take({ token: i(4, 5), parent: i(0, 0), total: f(-1, -2), ended: f(-3, none) }, [0]);
    beams.take({ token: i(6, 7), parent: i(0, 1), total: f(-2, -3), ended: f(-2.5, -1.5) }, [0]);
    expect(beams.done(0)).toBe(true);
    beams.take({ token: i(6, 7), parent: i(0, 1), total: f(-2, -3), ended: f(-0.1, -0.1) }, [0]);
    expect(beams.finish()[0]!.map((h) => h.score)).toEqual([-1.5, -2.5]);
  });

  it('return running hypotheses at the maximum length, unless they are excluded', () => {
    const beams = new BeamSearch(1, settings({ beams: 3, numReturn: 3 }));
    beams.take(
      { token: i(4, 5, 6), parent: i(0, 0, 0), total: f(-1, -2, none), ended: f(none, none, none) },
      [0],
    );
    expect(beams.finish()[0]!.map(({ ids, ended }) => [ids, ended])).toEqual([
      [[4], false],
      [[5], false],
    ]);
  });
});
