// The choice of the next token on the GPU: the most probable, the K most probable, or a sample, under rules.

import { describe, expect, it } from 'vitest';
import { f32, type Tensor } from '../../../../src/core/tensor.ts';
import { bestTokensOp } from '../../../../src/engine/ops/decoding/best-tokens.ts';
import {
  dead,
  greedyTokenOp,
  type NextTokenRules,
  rulesSize,
  type Sampling,
  sampleTokenOp,
  writeRules,
  writeSampling,
} from '../../../../src/engine/ops/decoding/next-token.ts';
import { fewerInChrome, sample } from '../../../support/gpu.ts';
import { checkOp, integers, randomTensor } from '../../../support/op.ts';
import { runOp } from '../../../support/run-op.ts';

// Log-probabilities are differences of numbers of the logits' size, and a logarithm of a sum of up to 1,030
// exponentials.
const tolerance = 1e-5;
const none: NextTokenRules = { minLength: 0, forceEndAt: -1, noRepeatNgram: 0, firstToken: -1, banned: [] };

function rulesOf(rules: Partial<NextTokenRules>, room = 4): Tensor {
  const data = new Int32Array(rulesSize(room));
  writeRules(data, { ...none, ...rules });
  return { dtype: 'i32', shape: [data.length], data };
}
function samplingOf(sampling: Partial<Sampling>): Tensor {
  const data = new Float32Array(4);
  writeSampling(data, { temperature: 1, topP: 1, topK: 0, ...sampling });
  return f32([4], data);
}
const historyOf = (rows: readonly (readonly number[])[]) =>
  integers('i32', [rows.length, rows[0]!.length], rows.flat());
const blank = (R: number) => historyOf(Array.from({ length: R }, () => [1, 0, 0]));

/** Rows and vocabularies on both sides of vectors, row groups and workgroups. */
const allSizes = [
  [1, 4],
  [3, 5],
  [33, 31],
  [4, 128],
  [5, 513],
  [2, 1028],
] as const;
const sampled = sample(allSizes, ([R]) => [1, 3, 5, 2].includes(R));
const sizes = fewerInChrome(sampled, ([R]) => [3, 2].includes(R));

describe('greedy_token', () => {
  // At scale 30 the best token of a single row has probability 1 in float32, and its log-probability no exact
  // digit.
  for (const [R, V] of sizes)
    for (const scale of R > 1 ? [1e-3, 1, 30] : [1e-3, 1])
      it(`takes the most probable of [${R},1,${V}], scale ${scale}`, async () => {
        const inputs = {
          logits: randomTensor([R, 1, V], 1, scale),
          history: blank(R),
          rules: rulesOf({}),
          step: 'step' as const,
        };
        await checkOp(greedyTokenOp, { inputs, attrs: { endId: 2, rules: scale === 1 }, tolerance });
      });

  /** The token chosen from logits that fall with the id, after `history`. */
  const take = async (rules: Partial<NextTokenRules>, history: readonly number[], V = 6) => {
    const logits = f32(
      [1, 1, V],
      Array.from({ length: V }, (_, id) => -id),
    );
    const inputs = {
      logits,
      history: historyOf([history]),
      rules: rulesOf(rules, 16),
      step: 'step' as const,
    };
    const options = { step: { position: history.length - 1 } };
    const { outputs } = await runOp(greedyTokenOp, inputs, { endId: 0, rules: true }, options);
    return { token: outputs.tokens[0], logProb: outputs.logProbs[0] };
  };

  it('takes the lowest id of equally probable tokens', async () => {
    const inputs = {
      logits: f32([1, 1, 5], [0, 3, 3, 1, 3]),
      history: blank(1),
      rules: rulesOf({}),
      step: 'step' as const,
    };
    const { outputs } = await runOp(greedyTokenOp, inputs, { endId: 0, rules: false });
    expect(outputs.tokens[0]).toBe(1);
  });

  it('does not end before the minimum length', async () => {
    expect((await take({ minLength: 3 }, [1, 9, 9])).token).toBe(1);
    expect((await take({ minLength: 3 }, [1, 9, 9, 9])).token).toBe(0);
  });

  it('never takes banned tokens, and gives log-probabilities before the rules', async () => {
    const { token, logProb } = await take({ banned: [0, 1, 3] }, [1]);
    expect(token).toBe(2);
    const total = [0, 1, 2, 3, 4, 5].reduce((sum, id) => sum + Math.exp(-id), 0);
    expect(logProb).toBeCloseTo(-2 - Math.log(total), 5);
  });

  it('does not begin with tokens that are banned there, after the forced ones', async () => {
    const bannedFirst = [0, 1];
    expect((await take({ bannedFirst, banned: [2] }, [1])).token).toBe(3);
    expect((await take({ bannedFirst, banned: [2] }, [1, 4])).token).toBe(0);
    expect((await take({ bannedFirst, firstToken: 1 }, [1])).token).toBe(1);
    expect((await take({ bannedFirst, firstToken: 1 }, [1, 1])).token).toBe(2);
    expect((await take({ bannedFirst, firstToken: 1 }, [1, 1, 2])).token).toBe(0);
  });

  it('repeats no n-gram', async () => {
    // After 3 1 0 2 3 1, token 0 would repeat the trigram 3 1 0 and the bigram 1 0; unigrams ban all past
    // tokens.
    expect((await take({ noRepeatNgram: 3 }, [3, 1, 0, 2, 3, 1])).token).toBe(1);
    expect((await take({ noRepeatNgram: 2 }, [3, 1, 0, 2, 3, 1])).token).toBe(1);
    expect((await take({ noRepeatNgram: 2 }, [1, 1, 1])).token).toBe(0);
    expect((await take({ noRepeatNgram: 1 }, [3, 1, 0, 2, 3, 1])).token).toBe(4);
    expect((await take({ noRepeatNgram: 4 }, [3, 1, 0, 2, 3, 1])).token).toBe(0);
    expect((await take({ noRepeatNgram: 2 }, [4])).token).toBe(0);
  });

  it('never completes banned sequences, wherever they begin', async () => {
    const bannedSequences = [[3, 0], [0], [1, 3, 1], [2, 1]];
    expect((await take({ bannedSequences }, [1])).token).toBe(1);
    expect((await take({ bannedSequences }, [1, 3])).token).toBe(2);
    expect((await take({ bannedSequences }, [5, 2])).token).toBe(2);
    expect((await take({ bannedSequences: [[1, 3, 0]] }, [3])).token).toBe(0);
    expect((await take({ bannedSequences: [[1, 3, 0]] }, [1, 3])).token).toBe(1);
    expect((await take({ bannedSequences: [[3, 0]], banned: [1] }, [9, 3])).token).toBe(2);
  });

  it('forces the tokens of each row at their positions, with probability 1', async () => {
    const [R, V, forced] = [5, 37, 2];
    const own = [4, 9, -1, 30, 7, -1, 1, 2, -1, -1];
    const rules = new Int32Array(rulesSize(3, own.length));
    writeRules(rules, {
      ...none,
      minLength: 1,
      banned: [4],
      bannedFirst: [6],
      bannedSequences: [[5]],
      firstToken: 12,
    });
    rules.set(own, rules.length - own.length);
    for (const position of [0, 1, 2]) {
      const inputs = {
        logits: randomTensor([R, 1, V], 4),
        history: blank(R),
        rules: integers('i32', [rules.length], Array.from(rules)),
        step: 'step' as const,
      };
      const attrs = { endId: 2, rules: true, forced };
      await checkOp(greedyTokenOp, { inputs, attrs, step: { position }, tolerance });
      await checkOp(bestTokensOp, { inputs, attrs: { ...attrs, wanted: 3 }, step: { position }, tolerance });
      const { outputs } = await runOp(greedyTokenOp, inputs, attrs, { step: { position } });
      for (let r = 0; r < R && position < forced; r++) {
        const token = own[r * forced + position] as number;
        if (token < 0 && position > 0) continue;
        expect(outputs.tokens[r]).toBe(token < 0 ? 12 : token);
        expect(outputs.logProbs[r]).toBe(0);
      }
    }
  });

  it('forces the end at its position, with probability 1', async () => {
    const rules = { forceEndAt: 1, minLength: 9, banned: [0] };
    expect(await take(rules, [1, 2])).toEqual({ token: 0, logProb: 0 });
    expect((await take(rules, [1])).token).toBe(1);
  });

  it('begins with a forced first token, with probability 1', async () => {
    expect(await take({ firstToken: 4 }, [1])).toEqual({ token: 4, logProb: 0 });
    expect((await take({ firstToken: 4 }, [1, 4])).token).toBe(0);
    expect((await take({ firstToken: 4, forceEndAt: 0 }, [1])).token).toBe(0);
  });

  it('ends if no other token is allowed', async () => {
    expect(await take({ banned: [0, 1, 2, 3] }, [1], 4)).toEqual({ token: 0, logProb: 0 });
  });

  it('applies rules to each row separately', async () => {
    const [R, V, T] = [37, 29, 11];
    const rows = Array.from({ length: R }, (_, r) =>
      Array.from({ length: T }, (_, t) => (r * 7 + t * (1 + (r % 3))) % 4),
    );
    for (const noRepeatNgram of [1, 2, 3]) {
      const bannedSequences = [
        [0, 3, 2],
        [3, 1],
        [1, 2, 3, 0],
      ];
      const rules = rulesOf({ noRepeatNgram, minLength: 8, banned: [5, 28], bannedSequences }, 16);
      const inputs = {
        logits: randomTensor([R, 1, V], 3),
        history: historyOf(rows),
        rules,
        step: 'step' as const,
      };
      await checkOp(greedyTokenOp, {
        inputs,
        attrs: { endId: 2, rules: true },
        step: { position: 7 },
        tolerance,
      });
    }
  });
});

describe('best_tokens', () => {
  const wantedOf = [
    [1, 4, 3],
    [3, 5, 8], // more than there are: the rest have the masked score
    [33, 31, 1],
    [5, 513, 4],
    [2, 1028, 64],
  ] as const;
  const sampled = sample(wantedOf, ([, V]) => V % 2 === 1 || V > 1000);
  for (const [R, V, wanted] of fewerInChrome(sampled, ([R]) => R < 5))
    it(`finds ${wanted} of [${R},1,${V}]`, async () => {
      const inputs = {
        logits: randomTensor([R, 1, V], 1, 5),
        history: blank(R),
        rules: rulesOf({ banned: [1] }),
        step: 'step' as const,
      };
      await checkOp(bestTokensOp, { inputs, attrs: { endId: 2, rules: V % 2 === 1, wanted }, tolerance });
    });

  it('sorts equally probable tokens by id', async () => {
    const logits = f32([1, 1, 12], [1, 2, 1, 2, 1, 2, 0, 2, 0, 2, 0, 2]);
    for (const variant of ['row-group-32', 'row-group-1']) {
      const inputs = { logits, history: blank(1), rules: rulesOf({}), step: 'step' as const };
      const { outputs } = await runOp(
        bestTokensOp,
        inputs,
        { endId: 3, rules: false, wanted: 7 },
        { variant },
      );
      expect([...outputs.tokens]).toEqual([1, 5, 7, 9, 11, 0, 2]);
    }
  });

  it('gives forbidden tokens, the end too, the masked score', async () => {
    const rules = rulesOf({ minLength: 5, banned: [4, 5] });
    const inputs = { logits: randomTensor([1, 1, 6], 1), history: blank(1), rules, step: 'step' as const };
    const { outputs } = await runOp(bestTokensOp, inputs, { endId: 2, rules: true, wanted: 4 });
    expect([...outputs.logProbs].map((x) => x > dead)).toEqual([true, true, true, false]);
    expect(outputs.ends[0]).toBeLessThan(dead);
  });
});

describe('sample_token', () => {
  const cases: [R: number, V: number, sampling: Partial<Sampling>][] = [
    [1, 4, {}],
    [3, 5, { topK: 9 }],
    [33, 31, { topK: 7, topP: 0.9, temperature: 2 }],
    [5, 513, { topK: 3 }],
    [5, 513, { topP: 0.6 }],
    [2, 1028, { topP: 0.95, temperature: 0.3 }],
    [1, 32772, { topK: 40 }], // more than a thread holds
  ];
  const sampled = sample(cases, ([, V, { topP }]) => V < 10 || V > 1000 || topP === 0.6);
  for (const [R, V, sampling] of fewerInChrome(sampled, ([R, V]) => R === 2 || V > 30_000))
    it(`samples from [${R},1,${V}] with ${JSON.stringify(sampling)}`, async () => {
      const streams = integers(
        'u32',
        [R],
        Array.from({ length: R }, (_, r) => r * 3),
      );
      const common = {
        logits: randomTensor([R, 1, V], 1, 2),
        history: blank(R),
        rules: rulesOf({ banned: [1] }),
      };
      const inputs = { ...common, step: 'step' as const, sampling: samplingOf(sampling), streams };
      const attrs = { endId: 2, rules: V % 2 === 1 };
      await checkOp(sampleTokenOp, { inputs, attrs, step: { position: 1 }, tolerance });
    });

  /**
   * The share of each token among the samples of `n` streams from one distribution, with the default variant.
   */
  const draw = async (logits: readonly number[], sampling: Partial<Sampling>, seed: number, n = 4000) => {
    const V = logits.length;
    const rows = f32([n, 1, V], Array.from({ length: n }, () => logits).flat());
    const streams = integers(
      'u32',
      [n],
      Array.from({ length: n }, (_, r) => r),
    );
    const inputs = {
      logits: rows,
      history: blank(n),
      rules: rulesOf({}),
      step: 'step' as const,
      sampling: samplingOf(sampling),
      streams,
    };
    const { outputs } = await runOp(
      sampleTokenOp,
      inputs,
      { endId: 0, rules: false },
      { step: { seed, position: 0 } },
    );
    const shares = new Array<number>(V).fill(0);
    for (const token of outputs.tokens) shares[token]! += 1 / n;
    return { shares, tokens: outputs.tokens };
  };
  const logits = [0.5, 0.25, 0.125, 0.0625, 0.0625].map(Math.log);
  /** Tolerance: four standard deviations of a share of 4,000 samples. */
  const maxDeviation = 4 * Math.sqrt(0.25 / 4000);

  it('samples by the probabilities', async () => {
    const { shares } = await draw(logits, {}, 1);
    for (const [i, x] of logits.entries())
      expect(Math.abs(shares[i]! - Math.exp(x))).toBeLessThan(maxDeviation);
  });

  it('sharpens by the temperature', async () => {
    const { shares } = await draw(logits, { temperature: 0.5 }, 1);
    const squares = logits.map((x) => Math.exp(2 * x));
    const total = squares.reduce((a, b) => a + b);
    for (const [i, x] of squares.entries())
      expect(Math.abs(shares[i]! - x / total)).toBeLessThan(maxDeviation);
  });

  it('keeps the topK most probable, and the fewest that reach topP', async () => {
    const kept = async (sampling: Partial<Sampling>) =>
      (await draw(logits, sampling, 2, 400)).shares.map((x) => (x > 0 ? 1 : 0)).join('');
    expect(await kept({ topK: 1 })).toBe('10000');
    expect(await kept({ topK: 3 })).toBe('11100');
    expect(await kept({ topK: 4 })).toBe('11111'); // the last two are equally probable
    expect(await kept({ topP: 0.4 })).toBe('10000');
    expect(await kept({ topP: 0.7 })).toBe('11000');
    expect(await kept({ topP: 0.8 })).toBe('11100');
    // Of the first two, which have 2/3 and 1/3 between them, only the first is needed to reach 0.6.
    expect(await kept({ topK: 2, topP: 0.6 })).toBe('10000');
  });

  it('takes the token of greedy decoding with a topK of 1: the lowest id of equally probable ones', async () => {
    const [R, V] = [9, 37];
    const ties = f32(
      [R, 1, V],
      Array.from({ length: R * V }, (_, i) => (((i % V) + Math.floor(i / V)) % 5 === 4 ? 2.5 : 0)),
    );
    const streams = integers('u32', [R], Array.from(Array(R).keys()));
    const rules = rulesOf({ banned: [0, 1, 2] });
    const common = { logits: ties, history: blank(R), rules, step: 'step' as const };
    const attrs = { endId: 2, rules: true };
    const greedy = await runOp(greedyTokenOp, common, attrs, { step: { position: 1 } });
    for (const sampling of [{ topK: 1 }, { topK: 1, topP: 0.5, temperature: 1000 }]) {
      const inputs = { ...common, sampling: samplingOf(sampling), streams };
      await checkOp(sampleTokenOp, { inputs, attrs, step: { position: 1 }, tolerance });
      const { outputs } = await runOp(sampleTokenOp, inputs, attrs, { step: { position: 1 } });
      expect([...outputs.tokens]).toEqual([...greedy.outputs.tokens]);
    }
  });

  it('depends on the seed and the stream, not on the row', async () => {
    const [a, b, c] = [
      await draw(logits, {}, 5, 64),
      await draw(logits, {}, 5, 64),
      await draw(logits, {}, 6, 64),
    ];
    expect(a.tokens).toEqual(b.tokens);
    expect(a.tokens).not.toEqual(c.tokens);
    expect((await draw(logits, {}, 5, 32)).tokens).toEqual(a.tokens.slice(0, 32));
  });
});

describe('rows of logits that are padded to whole vectors', () => {
  const sizes = [
    [3, 5],
    [33, 31],
    [5, 514],
  ] as const;
  for (const [R, vocab] of fewerInChrome(
    sample(sizes, ([R]) => R > 3),
    ([R]) => R === 5,
  ))
    it(`choose among the ${vocab} tokens of ${R} rows if the padding has larger logits`, async () => {
      const width = 4 * Math.ceil(vocab / 4);
      const logits = randomTensor([R, 1, width], 1, 3);
      for (let i = 0; i < logits.data.length; i++) if (i % width >= vocab) logits.data[i] = 99;
      const attrs = { endId: vocab - 1, vocab };
      for (const rules of [false, true]) {
        const [step, position] = ['step' as const, { position: 0 }];
        const inputs = { logits, history: blank(R), rules: rulesOf({ banned: [1], minLength: 2 }), step };
        await checkOp(greedyTokenOp, { inputs, attrs: { ...attrs, rules }, step: position, tolerance });
        await checkOp(bestTokensOp, {
          inputs,
          attrs: { ...attrs, rules, wanted: 4 },
          step: position,
          tolerance,
        });
        const streams = integers(
          'u32',
          [R],
          Array.from({ length: R }, (_, r) => r),
        );
        const sampled = {
          ...inputs,
          sampling: samplingOf({ temperature: 0.7, topP: 0.9, topK: 4 }),
          streams,
        };
        await checkOp(sampleTokenOp, {
          inputs: sampled,
          attrs: { ...attrs, rules },
          step: position,
          tolerance,
        });
      }
    });

  it('rank a forced token first and never choose padding', async () => {
    const inputs = {
      logits: randomTensor([2, 1, 8], 1),
      history: blank(2),
      rules: rulesOf({ firstToken: 3 }),
      step: 'step' as const,
    };
    const attrs = { endId: 4, rules: true, vocab: 5, wanted: 5 };
    const { outputs } = await runOp(bestTokensOp, inputs, attrs, { step: { position: 0 } });
    expect([...outputs.tokens]).toEqual([3, 0, 1, 2, 4, 3, 0, 1, 2, 4]);
  });
});
