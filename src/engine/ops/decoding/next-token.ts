// The choice of the next token of each row: the most probable one (greedy) or a sample; best-tokens.ts has the K
// most probable ones (beam search). Token rules that forbid tokens are data of a run, so one plan serves all.

import { check, checkTypes } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import { dim, type Shape, show, type TensorType, tensorType } from '../../../core/tensor.ts';
import type { DeviceTraits } from '../device-traits.ts';
import { applyOp, attrsOf, type Builder, defineOp, type Launch, sampleIds, type Value } from '../op.ts';
import { expectStep, expectType } from '../type-checks.ts';
import {
  gridOf,
  type RowGroup,
  rowConstants,
  rowReductionsFor,
  shaderFor,
  vecWidth,
  wholeVectors,
} from '../work-division.ts';

/** Added to the logits of forbidden tokens instead of minus infinity. */
export const masked = -1e30;

/** Logit of a column without a token; LOWEST in the kernels. */
export const lowest = -1e38;

/** Scores below this belong to forbidden tokens. */
export const dead = masked / 10;

/**
 * `endId`: end token. `rules`: whether there are token rules. `vocab`: V, if rows of the logits are padded.
 * `forced`: number P of positions at which the rules may force the token of each row (default 0). `areLogProbs`:
 * for best_tokens: whether the logits are log-probabilities already, perhaps not of a distribution (default false).
 */
export type NextTokenAttrs = {
  readonly endId: number;
  readonly rules: boolean;
  readonly vocab?: number;
  readonly forced?: number;
  readonly areLogProbs?: boolean;
};

/** V, the number of tokens: the logits of a row without padding. */
export const vocabOf = (logits: { readonly shape: Shape }, { vocab }: NextTokenAttrs): number =>
  vocab ?? dim(logits, -1);

/** Rules for the next token. */
export interface NextTokenRules {
  /** Minimum number of tokens before the end. */
  readonly minLength: number;
  /** Position of the input token at which the end token is forced, with probability 1; -1: never. */
  readonly forceEndAt: number;
  /** n-grams of this length may not repeat; 0: no limit. */
  readonly noRepeatNgram: number;
  /** Forced first token, with probability 1; -1: none. */
  readonly firstToken: number;
  /** Forbidden tokens. */
  readonly banned: readonly number[];
  /** Tokens that are forbidden as the first one that is not forced. Default: none. */
  readonly bannedFirst?: readonly number[];
  /** Penalty of tokens that a row has so far; see penalize-repeats.ts. Default: 1, none. */
  readonly repetitionPenalty?: number;
  /** Forbidden sequences: the last token of each is forbidden after the others. Default: none. */
  readonly bannedSequences?: readonly (readonly number[])[];
}

const header = 5;

/**
 * Length of a `rules` input that has room for `banned` banned tokens, and for the tokens that are forced at each
 * position of each row, which are its last numbers, [R,P], -1 for none. A banned sequence of n tokens takes n + 1.
 *
 * @example
 * console.log(rulesSize(2)); // 7
 */
export function rulesSize(banned: number, forced = 0): number {
  checkTypes('rulesSize', 'a number', { banned, forced });
  return header + banned + forced;
}

/** Banned tokens and sequences as numbers: those of the first token, then the others; a sequence of n tokens is -n and its ids. */
export const bannedNumbers = ({
  banned,
  bannedFirst = [],
  bannedSequences = [],
}: NextTokenRules): number[] => [
  ...bannedFirst,
  ...banned,
  ...bannedSequences.flatMap((ids) => (ids.length > 1 ? [-ids.length, ...ids] : ids)),
];

/** Writes rules into the input `rules` i32. Throws if there are more banned tokens than it has room for. */
export function writeRules(out: Int32Array, rules: NextTokenRules): void {
  const { minLength, forceEndAt, noRepeatNgram, firstToken, bannedFirst = [] } = rules;
  const banned = bannedNumbers(rules);
  check(
    banned.length + header <= out.length,
    msg`${banned.length} banned tokens, room for ${out.length - header}`,
    { area: 'rules' },
  );
  out.fill(-1);
  out.set([minLength, forceEndAt, noRepeatNgram, firstToken, bannedFirst.length, ...banned]);
}

/** How a token is sampled; data of a run. */
export interface Sampling {
  /** Divisor of the logits, above 0. */
  readonly temperature: number;
  /** Keep the smallest set of most probable tokens whose probabilities sum to this; 1: all. */
  readonly topP: number;
  /** Keep the K most probable tokens, with those as probable as the last; 1: only the first; 0: all. */
  readonly topK: number;
}

/** Length of the `sampling` input. */
export const samplingSize = 4;

/** Writes settings into the input `sampling` f32 [4]. */
export function writeSampling(out: Float32Array, sampling: Sampling): void {
  const { temperature, topP, topK } = sampling;
  out.set([temperature, topP, topK, 0]);
}

/**
 * Names of the inputs of all three ops, of which best-tokens.ts has one: logits f32 [R,1,V] (overwritten), history
 * i32 [R,T], rules i32 [5+N], step.
 */
export const choiceInputs = ['logits', 'history', 'rules', 'step'] as const;
/** Inputs of all three ops. */
export type NextTokenInputs<T> = { readonly [N in (typeof choiceInputs)[number]]: T };

/** Checks the inputs; returns the number of rows. */
export function choiceRows(name: string, inputs: NextTokenInputs<TensorType>, attrs: NextTokenAttrs): number {
  const { logits, history, rules, step } = inputs;
  const { endId, forced = 0 } = attrs;
  const vocab = vocabOf(logits, attrs);
  const [R = 0, , V = 0] = logits.shape;
  expectType(name, 'logits', logits, 'f32', [R, 1, V]);
  expectType(name, 'history', history, 'i32', [R, dim(history, 1)], `logits is ${show(logits.shape)}`);
  expectType(name, 'rules', rules, 'i32', [Math.max(rulesSize(0, R * forced), dim(rules, 0))]);
  expectStep(name, step);
  check(V === vocab || V === wholeVectors(vocab), () => msg`rows of ${V} logits for ${vocab} tokens`, {
    area: name,
  });
  check(endId >= 0 && endId < vocab, () => msg`the end token ${endId} is not among ${vocab} tokens`, {
    area: name,
  });
  return R;
}

/** The types of one token for each row. */
function chosenTypes(name: string, inputs: NextTokenInputs<TensorType>, attrs: NextTokenAttrs) {
  const R = choiceRows(name, inputs, attrs);
  return { tokens: tensorType('i32', [R, 1]), logProbs: tensorType('f32', [R]) };
}

/** Variants of all three ops. */
export const choiceVariants = (
  { logits }: { readonly logits: TensorType },
  _attrs: unknown,
  traits: DeviceTraits,
) => rowReductionsFor(dim(logits, 2), traits, true);

/** For timing: rules that force no token, but search for trigrams. */
export const choiceSample = ({ logits }: { readonly logits: TensorType }, attrs: NextTokenAttrs) => ({
  history: sampleIds(vocabOf(logits, attrs)),
  rules: (i: number) => (i === 2 ? 3 : -1),
});

/** The launch of an op; `bind` and `constants`: those that only it has. */
export function choiceLaunch(
  entry: string,
  attrs: NextTokenAttrs,
  { logits, history, rules, step }: NextTokenInputs<Value>,
  variant: RowGroup,
  bind: Launch['bind'],
  wanted = 0,
  constants: Launch['constants'] = {},
): Launch[] {
  const [rows = 0, , cols = 0] = logits.shape;
  const { endId: end, forced = 0 } = attrs;
  const sizes = { rows, cols, vocab: vocabOf(logits, attrs), positions: dim(history, 1) };
  return [
    {
      shader: shaderFor('next-token', cols, variant),
      entry,
      constants: { ...rowConstants(variant), ...constants, RULES: attrs.rules ? 1 : 0 },
      params: { ...sizes, end, banned: dim(rules, 0) - rulesSize(0, rows * forced), wanted, forced },
      bind: { logits, history, rules, step, ...bind },
      grid: gridOf(rows, variant.rows),
      flops: rows * cols,
    },
  ];
}

/** A token for each row, i32 [R,1], and its log-probability in the model before the rules, f32 [R]. */
export interface ChosenTokens {
  readonly tokens: Value;
  readonly logProbs: Value;
}

/** The types of the attributes. */
export const nextTokenAttrs = {
  endId: 'number',
  rules: 'boolean',
  vocab: 'number?',
  forced: 'number?',
  areLogProbs: 'boolean?',
} as const;

/**
 * The most probable token of each row: tokens i32 [R,1] and logProbs f32 [R]. Of equally probable tokens it
 * takes the lowest id. A forced token has probability 1, and so has the end token if all others are
 * forbidden.
 */
export const greedyTokenOp = defineOp({
  name: 'greedy_token',
  inputs: choiceInputs,
  outputs: ['tokens', 'logProbs'],
  attrs: attrsOf<NextTokenAttrs>(nextTokenAttrs),
  shape: (inputs, attrs) => chosenTypes('greedy_token', inputs, attrs),
  mutates: ['logits'],
  variants: choiceVariants,
  sample: choiceSample,
  launch: (inputs, { tokens, logProbs }, attrs, { variant }) =>
    choiceLaunch('greedy_token', attrs, inputs, variant, { tokens, log_probs: logProbs }),
});

/**
 * The most probable token of each row of logits [R,1,V] that the rules allow.
 *
 * @example
 * const history = graph.input('history', 'i32', [4, 32]);
 * const rules = graph.input('rules', 'i32', [rulesSize(2)]);
 * const { tokens } = greedyToken(graph, logits, history, rules, step, { endId: 2, rules: true });
 */
export const greedyToken = (
  builder: Builder,
  logits: Value,
  history: Value,
  rules: Value,
  step: Value,
  attrs: NextTokenAttrs,
): ChosenTokens => applyOp(builder, greedyTokenOp, { logits, history, rules, step }, attrs);

/** Numbers of a row that a thread of `sample_token` can hold in registers. */
const maxHeld = 128;

/**
 * Vectors of a row of `cols` logits that a thread holds; 0 if they do not fit, or a thread has a whole row.
 */
function heldVectors(cols: number, { threads, rows }: RowGroup): number {
  const vecs = Math.ceil(cols / vecWidth(cols) / (threads / rows));
  return rows < threads && vecs * vecWidth(cols) <= maxHeld ? vecs : 0;
}

/**
 * A sample for each row from softmax(logits / temperature), cut to the most probable tokens: tokens i32 [R,1]
 * and logProbs f32 [R] in the model's own distribution. Further inputs: sampling f32 [4], streams u32 [R].
 * topK cuts before topP; tokens as probable as the last one remain too, unless topK is 1. The sample is a
 * function of step.seed, step.position, streams[r] and the probabilities.
 */
export const sampleTokenOp = defineOp({
  name: 'sample_token',
  inputs: [...choiceInputs, 'sampling', 'streams'],
  outputs: ['tokens', 'logProbs'],
  attrs: attrsOf<NextTokenAttrs>(nextTokenAttrs),
  shape({ sampling, streams, ...inputs }, attrs) {
    const types = chosenTypes('sample_token', inputs, attrs);
    expectType('sample_token', 'sampling', sampling, 'f32', [samplingSize]);
    expectType('sample_token', 'streams', streams, 'u32', types.logProbs.shape, 'one for each row');
    return types;
  },
  mutates: ['logits'],
  variants: choiceVariants,
  // Timing covers top-k and top-p.
  sample: (inputs, attrs) => ({ ...choiceSample(inputs, attrs), sampling: (i) => [0.8, 0.9, 40, 0][i] ?? 0 }),
  launch({ sampling, streams, ...inputs }, { tokens, logProbs }, attrs, { variant }) {
    const bind = { sampling, streams, tokens, log_probs: logProbs };
    const HELD = heldVectors(dim(inputs.logits, 2), variant);
    return choiceLaunch('sample_token', attrs, inputs, variant, bind, 0, { HELD });
  },
});

/**
 * A sample for each row of logits [R,1,V] from the tokens that the rules allow.
 *
 * @example
 * const history = graph.input('history', 'i32', [4, 32]);
 * const rules = graph.input('rules', 'i32', [rulesSize(2)]);
 * const inputs = {
 *   sampling: graph.input('sampling', 'f32', [samplingSize]),
 *   streams: graph.input('streams', 'u32', [4]),
 * };
 * const { tokens } = sampleToken(graph, logits, history, rules, step, inputs, { endId: 2, rules: false });
 */
export const sampleToken = (
  builder: Builder,
  logits: Value,
  history: Value,
  rules: Value,
  step: Value,
  drawn: { readonly sampling: Value; readonly streams: Value },
  attrs: NextTokenAttrs,
): ChosenTokens => applyOp(builder, sampleTokenOp, { logits, history, rules, step, ...drawn }, attrs);
