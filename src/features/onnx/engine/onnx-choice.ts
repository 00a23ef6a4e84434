// The choice of the next tokens as ONNX operators: greedy decoding and the best tokens of beam search. The host
// lists the tokens that the rules forbid, and replaces the choice of rows whose token is forced. Samples are drawn
// on the host.

import { dim } from '../../../core/tensor.ts';
import { bestTokensOp } from '../../../engine/ops/decoding/best-tokens.ts';
import {
  dead,
  greedyTokenOp,
  masked,
  type NextTokenAttrs,
  type NextTokenInputs,
  rulesSize,
  vocabOf,
} from '../../../engine/ops/decoding/next-token.ts';
import type { Value } from '../../../engine/ops/op.ts';
import { readStep } from '../../../engine/ops/step-scalars.ts';
import type { HostRun } from './host-values.ts';
import type { Name } from './onnx-graph.ts';
import { type OnnxEntry, onnxOp } from './onnx-op.ts';
import type { SegmentBuilder } from './segment-builder.ts';

/** What the rules do in one step. */
interface StepRules {
  /** Pairs of a row and a token that it may not have. */
  readonly forbidden: readonly number[];
  /** The token that each row must have; -1 for rows that choose. */
  readonly forced: Int32Array;
}

/** Whether the last of the tokens `past` are `ids`. */
const endsWith = (past: ArrayLike<number>, length: number, ids: ArrayLike<number>): boolean => {
  if (length < ids.length) return false;
  for (let i = 0; i < ids.length; i++) if (past[length - ids.length + i] !== ids[i]) return false;
  return true;
};

/** The rules of a step; `applyRules` of decoding-references.ts says what they mean. */
function stepRules(
  run: HostRun,
  { logits, history, rules, step }: NextTokenInputs<Value>,
  attrs: NextTokenAttrs,
): StepRules {
  const R = dim(logits, 0);
  const forced = new Int32Array(R).fill(-1);
  const forbidden: number[] = [];
  if (!attrs.rules) return { forbidden, forced };
  const vocab = vocabOf(logits, attrs);
  const { position } = readStep(run.data(step));
  const { forced: P = 0, endId } = attrs;
  const numbers = run.data(rules);
  const [minLength = 0, forceEndAt = -1, ngram = 0, firstToken = -1, firstOnly = 0] = numbers;
  const banned = numbers.subarray(rulesSize(0), numbers.length - R * P);
  const [tokens, T, length] = [run.data(history), dim(history, 1), position + 1];
  for (let r = 0; r < R; r++) {
    const prefixAt = (at: number): number => {
      const own = at < P ? (numbers[numbers.length - (R - r) * P + at] as number) : -1;
      return own >= 0 ? own : at === 0 ? firstToken : -1;
    };
    const token = position === forceEndAt ? endId : prefixAt(position);
    if (token >= 0) {
      forced[r] = token;
      continue;
    }
    const forbid = (id: number) => {
      if (id >= 0 && id < vocab) forbidden.push(r, id);
    };
    if (position < minLength) forbid(endId);
    const past = tokens.subarray(r * T, r * T + length);
    const isFirst = position === 0 || prefixAt(position - 1) >= 0;
    for (let i = 0; i < banned.length; i++) {
      const count = Math.max(1, -(banned[i] as number));
      const ids = count > 1 ? banned.subarray(i + 1, i + 1 + count) : banned.subarray(i, i + 1);
      if ((isFirst || i >= firstOnly) && endsWith(past, length, ids.subarray(0, -1)))
        forbid(ids[ids.length - 1] as number);
      if (count > 1) i += count;
    }
    for (let i = 0; ngram > 0 && i + ngram <= length; i++)
      if (endsWith(past, length, past.subarray(i, i + ngram - 1))) forbid(past[i + ngram - 1] as number);
  }
  return { forbidden, forced };
}

/** The log-probabilities [R,V] of the logits, with `masked` for forbidden tokens. */
function allowed(b: SegmentBuilder, inputs: NextTokenInputs<Value>, attrs: NextTokenAttrs): Name {
  const { logits } = inputs;
  const [cols, vocab] = [dim(logits, -1), vocabOf(logits, attrs)];
  const rows = b.op('Reshape', [b.of(logits), b.integers(-1, cols)]);
  const own = cols === vocab ? rows : b.op('Slice', [rows, b.integers(0), b.integers(vocab), b.integers(1)]);
  const logProbs = attrs.areLogProbs ? own : b.op('LogSoftmax', [own], { axis: -1 });
  if (!attrs.rules) return logProbs;
  const pairs = b.feed(`forbidden ${logits.id}`, 'int32', 2, (run) => {
    const { forbidden } = stepRules(run, inputs, attrs);
    return { data: Int32Array.from(forbidden), dims: [forbidden.length / 2, 2] };
  });
  const count = b.op('Slice', [b.op('Shape', [pairs]), b.integers(0), b.integers(1)]);
  const values = b.op('Expand', [b.scalar(masked), count]);
  return b.op('ScatterND', [logProbs, b.op('Cast', [pairs], { to: 7 }), values]);
}

/** The ops of this file. */
export const onnxChoice: readonly OnnxEntry[] = [
  onnxOp(greedyTokenOp, {
    takes: ['tokens', 'logProbs'],
    lower(b, inputs, attrs, { tokens, logProbs }) {
      const rows = allowed(b, inputs, attrs);
      const best = b.op('Cast', [b.op('ArgMax', [rows], { axis: -1, keepdims: 1 })], { to: 1 });
      const largest = b.op('ReduceMax', [rows], { axes: [-1], keepdims: 1 });
      b.fetch([best, largest], 2, (run, [ids = new Float32Array(), values = new Float32Array()]) => {
        const { forced } = stepRules(run, inputs, attrs);
        for (let r = 0; r < ids.length; r++) {
          const isForced = (forced[r] as number) >= 0;
          if (!isForced && (values[r] as number) > dead) continue;
          ids[r] = isForced ? (forced[r] as number) : attrs.endId;
          values[r] = 0;
        }
        run.store(tokens, ids);
        run.store(logProbs, values);
      });
      return {};
    },
  }),
  onnxOp(bestTokensOp, {
    takes: ['tokens', 'logProbs', 'ends'],
    fits: ({ logits }, attrs) => vocabOf(logits, attrs) > attrs.wanted,
    lower(b, inputs, attrs, { tokens, logProbs, ends }) {
      const { endId, wanted } = attrs;
      const rows = allowed(b, inputs, attrs);
      const end = b.integers(endId);
      const ofEnd = b.op('Slice', [rows, end, b.integers(endId + 1), b.integers(1)]); // [R, 1]
      const others = b.op(
        'Concat',
        [
          b.op('Slice', [rows, b.integers(0), end, b.integers(1)]),
          b.op('Slice', [rows, b.integers(endId + 1), b.integers(2 ** 31 - 1), b.integers(1)]),
        ],
        { axis: 1 },
      );
      const [values = '', places = ''] = b.ops('TopK', [others, b.integers(wanted)], 2, { axis: 1 });
      b.fetch([values, b.op('Cast', [places], { to: 1 }), ofEnd], 2, (run, data) => {
        const [best = new Float32Array(), ids = new Float32Array(), last = new Float32Array()] = data;
        const { forced } = stepRules(run, inputs, attrs);
        for (let i = 0; i < ids.length; i++) {
          if ((ids[i] as number) >= endId) ids[i] = (ids[i] as number) + 1; // the end is not among the others
          best[i] = Math.max(masked, best[i] as number);
        }
        for (let r = 0; r < last.length; r++) {
          last[r] = Math.max(masked, last[r] as number);
          const token = forced[r] as number;
          if (token < 0) continue;
          best.fill(masked, r * wanted, (r + 1) * wanted);
          last[r] = token === endId ? 0 : masked;
          if (token === endId) continue;
          ids[r * wanted] = token;
          best[r * wanted] = 0;
        }
        run.store(logProbs, best);
        run.store(tokens, ids);
        run.store(ends, last);
      });
      return {};
    },
  }),
];
