// Every function of heddle/engine that adds a node: a value of a wrong type in the place of each positional argument and
// of each option is an error, as is an option that it does not have.
import { describe, expect, it } from 'vitest';
import * as engine from '../../../src/engine/index.ts';
import { type AnyOp, Graph, type Value } from '../../../src/engine/index.ts';
import { errorAbout } from '../../support/expect-error.ts';

type DType = 'f32' | 'i32' | 'u32';

/** A call: its arguments behind the graph, made for a new graph. */
type Call = (tensor: (shape: readonly number[], dtype?: DType) => Value, step: () => Value) => unknown[];

/** A tensor in a call of which a state is needed is one as well. */
const chosen: Call = (t, step) => [t([2, 1, 8]), t([2, 6], 'i32'), t([engine.rulesSize(1)], 'i32'), step()];
const updated: Call = (t, step) => [
  {
    weights: t([64]),
    gradients: t([64]),
    m: t([64]),
    v: t([64]),
    clip: t([4]),
    counters: t([8]),
    step: step(),
  },
];
const without =
  (call: Call, ...names: string[]): Call =>
  (t, step) => [
    Object.fromEntries(Object.entries(call(t, step)[0] as object).filter(([name]) => !names.includes(name))),
  ];
const rulesOfTokens = { endId: 2, rules: true, vocab: 8, forced: 0 };
const attention = { heads: 2, headWidth: 4, scale: 0.5 };

/**
 * The calls of ops without attributes whose inputs have the types of their example: `add(graph, a, b)` of the op `add`.
 */
const ofExamples = (): [string, Call][] =>
  Object.entries(engine).flatMap(([name, value]) => {
    const op = name.endsWith('Op') ? (value as AnyOp) : undefined;
    const own = name.slice(0, -'Op'.length);
    const { inputs, attrs } = op?.example?.(2, 8) ?? {};
    if (!op || !inputs || !attrs || !(own in engine) || Object.keys(attrs).length > 0) return [];
    const types = op.inputs.flatMap((input) => inputs[input] ?? []);
    return [[own, (t) => types.map(({ shape, dtype }) => t(shape, dtype as DType))]];
  });

/** A valid call of each function. */
const calls: Readonly<Record<string, Call>> = {
  ...Object.fromEntries(ofExamples()),
  selfAttention: (t, step) => [
    t([2, 3, 24]),
    t([2], 'u32'),
    step(),
    { ...attention, causal: true, dropout: 0.1, site: 0 },
  ],
  crossAttention: (t, step) => [t([2, 3, 8]), t([2, 5, 16]), t([2], 'u32'), step(), attention],
  attentionWeights: (t) => [t([2, 3, 8]), t([2, 5, 16]), t([2], 'u32'), attention],
  weightedValues: (t) => [t([2, 2, 3, 5]), t([2, 5, 16]), { heads: 2, headWidth: 4 }],
  intervene: (t) => [t([2, 8]), t([2, 1]), t([2, 8])],
  maskedAttention: (t) => [
    t([1, 2, 3, 4]),
    t([1, 2, 5, 4]),
    t([1, 2, 5, 4]),
    t([1, 2, 3, 5]),
    { scale: 1, softcap: 5 },
  ],
  rotaryEmbedding: (t) => [t([3, 8]), t([3, 4]), t([3, 4])],
  relativePositionBias: (t) => [t([8, 2]), { maxDistance: 20, bidirectional: true }],
  cacheSlots: (t, step) => [
    t([2, 1], 'i32'),
    t([2], 'i32'),
    t([2, 6], 'u32'),
    t([2, 6], 'i32'),
    step(),
    { beams: 2, padId: 0 },
  ],
  greedyToken: (t, step) => [...chosen(t, step), rulesOfTokens],
  bestTokens: (t, step) => [...chosen(t, step), { ...rulesOfTokens, areLogProbs: false, wanted: 2 }],
  sampleToken: (t, step) => [
    ...chosen(t, step),
    { sampling: t([engine.samplingSize]), streams: t([2], 'u32') },
    rulesOfTokens,
  ],
  beamSelect: (t, step) => [
    { logProbs: t([4, 2]), tokens: t([4, 2], 'i32'), ends: t([4]) },
    t([4]),
    step(),
    { shrinks: true },
  ],
  cachedSelfAttention: (t, step) => [
    t([4, 1, 24]),
    t([4, 6, 16]),
    t([4, 6], 'u32'),
    step(),
    { ...attention, beams: 2 },
    t([2, 11]),
  ],
  cachedCrossAttention: (t) => [t([4, 1, 8]), t([2, 5, 16]), t([2], 'u32'), { ...attention, beams: 2 }],
  columnSum: (t) => [t([4, 2, 8]), 1],
  addColumns: (t) => [t([2, 8]), t([2, 4]), { first: 2, scale: 2 }],
  takeColumns: (t) => [t([2, 8]), { first: 2, count: 4, scale: 2 }],
  activation: (t) => [t([2, 8]), 'gelu'],
  add: (t) => [t([2, 8]), t([2, 8])],
  dropout: (t, step) => [t([2, 8]), step(), { rate: 0.5, site: 0 }],
  logMean: (t) => [t([2, 8]), 1],
  joinColumns: (t) => [t([2, 8]), t([2, 4])],
  softcap: (t) => [t([2, 8]), 5],
  tanh: (t) => [t([2, 8])],
  takeRows: (t) => [t([4, 8]), t([2], 'u32'), 1],
  takeNumbers: (t) => [t([4, 8]), t([2], 'u32')],
  embedding: (t) => [t([2, 3], 'i32'), t([9, 8]), { scale: 2, offset: 0, decode: false, rate: 0, site: 0 }],
  crossEntropy: (t, step) => [t([4, 8]), t([4], 'i32'), step(), { smoothing: 0.1, ignore: 0, fused: true }],
  tokenStats: (t) => [t([4]), t([4]), t([4], 'i32'), { ignore: 0 }],
  linear: (t) => [t([2, 8]), t([4, 8]), t([4]), 'relu'],
  matmul: (t) => [t([2, 8]), t([4, 8]), { transB: true }],
  packedLinear: (t) => [t([2, 8]), { format: 'f16', words: t([4, 4], 'u32') }],
  packedEmbedding: (t) => [
    t([2, 3], 'i32'),
    { format: 'f16', words: t([9, 4], 'u32') },
    { width: 8, scale: 1, offset: 0, decode: false },
  ],
  addLayerNorm: (t) => [{ x: t([2, 8]), residual: t([2, 8]), gamma: t([8]), beta: t([8]) }, { eps: 1e-5 }],
  layerNorm: (t) => [t([2, 8]), t([8]), t([8]), 1e-5],
  rmsNorm: (t) => [t([2, 8]), t([8]), 1e-5],
  softmax: (t) => [t([2, 4, 8]), { causal: false }, t([2], 'u32')],
  accumulate: (t, step) => [t([64]), t([64]), step()],
  difference: (t) => [t([64]), t([64])],
  ema: (t) => [t([64]), t([64]), 0.9],
  clipScale: (t) => [t([64]), t([8]), { maxNorm: 1, beta1: 0.9, beta2: 0.98, growth: 10 }],
  adamw: (t, step) => [
    ...updated(t, step),
    { beta1: 0.9, beta2: 0.98, eps: 1e-9, weightDecay: 0.1, decayEnd: 8 },
  ],
  adam: (t, step) => [
    ...updated(t, step),
    { beta1: 0.9, beta2: 0.98, eps: 1e-9, weightDecay: 0.1, decayEnd: 8 },
  ],
  rmsprop: (t, step) => [...without(updated, 'm', 'counters')(t, step), { rho: 0.9, eps: 1e-7 }],
  sgd: (t, step) => [
    ...without(updated, 'v', 'counters')(t, step),
    { momentum: 0.9, weightDecay: 0.1, decayEnd: 8 },
  ],
};

const wrong: Readonly<Record<string, unknown>> = {
  text: 'x',
  number: 3.5,
  NaN: Number.NaN,
  object: { eps: 1e-5 },
  list: [1],
  null: null,
  true: true,
  function: () => 1,
};

const exported = new Map<string, unknown>(Object.entries(engine));

const kindOf = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);

/** Calls a function on a new graph, with arguments that `change` changes. */
function run(
  name: string,
  change: (args: unknown[]) => void = () => undefined,
  ...given: unknown[]
): unknown {
  const graph = new Graph();
  let count = 0;
  const tensor = (shape: readonly number[], dtype: DType = 'f32') => graph.state(`t${count++}`, dtype, shape);
  const args = (calls[name] as Call)(tensor, () => graph.input('step', 'u32', [engine.stepWords]));
  change(args);
  return (exported.get(name) as (...all: unknown[]) => unknown)(given.length > 0 ? given[0] : graph, ...args);
}

function errorOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (error) {
    return error;
  }
}

describe.each(Object.keys(calls))('%s', (name) => {
  it('works', () => {
    expect(() => run(name)).not.toThrow();
  });

  it('refuses what is no graph', () => {
    for (const [kind, value] of [...Object.entries(wrong), ['undefined', undefined] as const]) {
      const error = errorOf(() => run(name, () => undefined, value));
      expect(error, kind).toBeInstanceOf(engine.HeddleError);
      expect(String(error), kind).toContain('the graph is');
    }
  });

  it('refuses other types in each place', () => {
    const accepted: string[] = [];
    const args = (calls[name] as Call)(
      (shape, dtype = 'f32') => new Graph().state('t', dtype, shape),
      () => new Graph().input('step', 'u32', [engine.stepWords]),
    );
    const refuses = (label: string, change: (all: unknown[]) => void) => {
      try {
        run(name, change);
        accepted.push(label);
      } catch (error) {
        if (!(error instanceof engine.HeddleError)) accepted.push(`${label}: ${error}`);
      }
    };
    for (const [i, valid] of args.entries()) {
      for (const [kind, value] of Object.entries(wrong))
        if (kindOf(value) !== kindOf(valid) || (typeof value === 'number' && Number.isNaN(value)))
          refuses(`argument ${i + 1} as ${kind}`, (all) => {
            all[i] = value;
          });
      if (kindOf(valid) !== 'object' || 'shape' in (valid as object)) continue;
      for (const [option, own] of Object.entries(valid as object))
        for (const [kind, value] of Object.entries(wrong))
          if (kindOf(value) !== kindOf(own) || (typeof value === 'number' && Number.isNaN(value)))
            refuses(`${option} as ${kind}`, (all) => {
              all[i] = { ...(all[i] as object), [option]: value };
            });
    }
    expect(accepted).toEqual([]);
  });
});

it('all functions that add nodes are here', () => {
  const ops = [...exported]
    .filter(
      ([name, value]) =>
        typeof value === 'function' && /^(builder|g), /.test(argumentsOf(value)) && name !== '',
    )
    .map(([name]) => name);
  expect(ops.filter((name) => !(name in calls))).toEqual([]);
});

/** The text of the arguments of a function. */
function argumentsOf(value: unknown): string {
  const text = String(value);
  return text.slice(text.indexOf('(') + 1).trim();
}

describe('tensors of a graph', () => {
  it.each([
    ['a name that is no text', 'a number', () => new Graph().input(3 as never, 'f32', [2])],
    ['an unknown type', 'f64', () => new Graph().input('x', 'f64' as never, [2])],
    ['a shape that is no list', '2', () => new Graph().state('x', 'f32', 2 as never)],
    ['a size that is no whole number', '2.5', () => new Graph().state('x', 'f32', [2.5])],
    ['a size that is a text', '2', () => new Graph().state('x', 'f32', ['2'] as never)],
    ['an output that is no tensor', 'output x', () => new Graph().output('x', 3 as never)],
  ])('%s is an error', (_, value, make) => {
    expect(make).toThrow(errorAbout({ values: [value] }));
  });
});
