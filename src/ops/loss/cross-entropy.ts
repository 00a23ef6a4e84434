// The loss: label-smoothed cross-entropy against token ids, and its gradient, apart or in one kernel.

import { check } from '../../core/errors.ts';
import { matrixOf, show, sizeOf, type TensorType } from '../../core/tensor.ts';
import { expectStep, expectType, inputAt } from '../expect.ts';
import { type Builder, defineOp, gridOf, type Node, type ReferenceCall, sampleIds, type Value } from '../op.ts';
import { cellOf, shaderFor, teamOf, teamsFor } from '../row-groups.ts';
import { readStep } from '../step-scalars.ts';

/** Label smoothing (0: none) and the target that does not count; targets must otherwise be 0 to V - 1. */
export type CrossEntropyAttrs = { readonly smoothing: number; readonly ignore?: number | undefined };

function rowsOf(op: string, inputs: readonly TensorType[], attrs: CrossEntropyAttrs): TensorType {
  const logits = inputAt(op, inputs, 0, 'logits');
  const targets = inputAt(op, inputs, 1, 'targets');
  expectType(op, 'logits', logits, 'f32');
  expectType(op, 'targets', targets, 'i32');
  check(
    sizeOf(targets.shape) === matrixOf(logits.shape).rows,
    () => `${op}: a target a row is needed, logits ${show(logits.shape)}, targets ${show(targets.shape)}`,
  );
  check(attrs.smoothing >= 0 && attrs.smoothing < 1, `${op}: a smoothing of ${attrs.smoothing}, must be from 0 to 1`);
  return { dtype: 'f32', shape: targets.shape };
}

const paramsOf = (logits: Value, { smoothing, ignore }: CrossEntropyAttrs) => ({
  ...matrixOf(logits.shape),
  smoothing,
  ignores: ignore === undefined ? 0 : 1,
  ignored: ignore ?? 0,
});

const variants = ({ inputs }: Pick<Node, 'inputs'>) => teamsFor(matrixOf(inputs[0]!.shape).cols);

const sample = ({ inputs, attrs }: Node<CrossEntropyAttrs>) => ({
  1: sampleIds(matrixOf(inputs[0]!.shape).cols, attrs.ignore),
});

/**
 * Inputs logits [..,V], targets i32 [..], step; outputs nll (the loss of each row, 0 where ignored), hit (1 where the first
 * largest logit is the target's) and lse (logsumexp of each row), all f32 of the targets' shape. As the root of a gradient walk the
 * loss is the sum of nll times step.tokenWeight.
 */
export const crossEntropyOp = defineOp<CrossEntropyAttrs>({
  name: 'cross_entropy',
  shape(inputs, attrs) {
    const row = rowsOf('cross_entropy', inputs, attrs);
    expectStep('cross_entropy', inputs[2]);
    return [row, row, row];
  },
  half: () => ({ inputs: [0], outputs: [] }),
  variants,
  sample,
  launch({ inputs, outputs, attrs }, { variant, scratch }) {
    const [logits, targets] = inputs as [Value, Value];
    const [nll, hit, lse] = outputs as [Value, Value, Value];
    return [
      {
        shader: shaderFor('cross-entropy', matrixOf(logits.shape).cols),
        entry: 'cross_entropy',
        constants: { ...teamOf(variant) },
        params: paramsOf(logits, attrs),
        bind: { logits, targets, nll, row_lse: lse, hit, dlogits: scratch('f32', [4]) },
        grid: gridOf(matrixOf(logits.shape).rows, teamOf(variant).ROWS),
        flops: 4 * sizeOf(logits.shape),
      },
    ];
  },
  grad(builder, { inputs, outputs, attrs }, dOutputs) {
    checkRoot('cross_entropy', dOutputs);
    const [logits, targets, step] = inputs as [Value, Value, Value];
    return [builder.apply(crossEntropyBackwardOp, [logits, outputs[2]!, targets, step], attrs)[0]];
  },
  reference({ attrs, inputs, outputs: [nll, hit, lse] }) {
    eachRow(attrs, inputs, (row, r) => {
      lse!.data[row] = r.lse;
      if (!r.counts) return;
      nll!.data[row] = r.nll;
      hit!.data[row] = r.hit ? 1 : 0;
    });
  },
});

/** Inputs logits [..,V], lse, targets, step; dlogits, which may take the memory of logits. */
export const crossEntropyBackwardOp = defineOp<CrossEntropyAttrs>({
  name: 'cross_entropy_backward',
  shape(inputs, attrs) {
    const op = 'cross_entropy_backward';
    const logits = inputAt(op, inputs, 0, 'logits');
    const row = rowsOf(op, [logits, inputAt(op, inputs, 2, 'targets')], attrs);
    expectType(op, 'lse', inputs[1], 'f32', row.shape, 'one for each target');
    expectStep(op, inputs[3]);
    return [{ dtype: 'f32', shape: logits.shape }];
  },
  inPlace: () => [[0, 0]],
  half: () => ({ inputs: [0], outputs: [0] }),
  launch({ inputs, outputs, attrs }, { shared, scratch }) {
    const [logits, lse, targets, step] = inputs as [Value, Value, Value, Value];
    const inPlace = shared(0, 0);
    return [
      {
        shader: shaderFor('cross-entropy', matrixOf(logits.shape).cols),
        entry: 'cross_entropy_backward',
        constants: { IN_PLACE: inPlace ? 1 : 0 },
        params: paramsOf(logits, attrs),
        bind: { logits: inPlace ? scratch('f32', [4]) : logits, lse, targets, dlogits: outputs[0]!, step },
        grid: gridOf(sizeOf(logits.shape) / cellOf(matrixOf(logits.shape).cols), 256),
        flops: 4 * sizeOf(logits.shape),
      },
    ];
  },
  reference({ attrs, inputs: [logits, lse, targets, step], outputs: [dlogits] }) {
    writeGradient(attrs, [logits!, targets!, step!], dlogits!.data, lse!.data);
  },
});

/** Inputs logits [..,V], targets i32 [..], step; outputs nll, hit and dlogits, which may take the memory of logits. */
export const crossEntropyFusedOp = defineOp<CrossEntropyAttrs>({
  name: 'cross_entropy_fused',
  shape(inputs, attrs) {
    const row = rowsOf('cross_entropy_fused', inputs, attrs);
    expectStep('cross_entropy_fused', inputs[2]);
    return [row, row, { dtype: 'f32', shape: inputs[0]!.shape }];
  },
  inPlace: () => [[0, 2]],
  half: () => ({ inputs: [0], outputs: [2] }),
  variants,
  sample,
  launch({ inputs, outputs, attrs }, { variant, shared, scratch }) {
    const [logits, targets, step] = inputs as [Value, Value, Value];
    const [nll, hit, dlogits] = outputs as [Value, Value, Value];
    const inPlace = shared(0, 2);
    return [
      {
        shader: shaderFor('cross-entropy', matrixOf(logits.shape).cols),
        entry: 'cross_entropy_fused',
        constants: { ...teamOf(variant), IN_PLACE: inPlace ? 1 : 0 },
        params: paramsOf(logits, attrs),
        bind: { logits: inPlace ? scratch('f32', [4]) : logits, targets, nll, hit, dlogits, step },
        grid: gridOf(matrixOf(logits.shape).rows, teamOf(variant).ROWS),
        flops: 8 * sizeOf(logits.shape),
      },
    ];
  },
  grad(_builder, { outputs }, dOutputs) {
    checkRoot('cross_entropy_fused', dOutputs);
    return [outputs[2]];
  },
  reference({ attrs, inputs, outputs: [nll, hit, dlogits] }) {
    eachRow(attrs, inputs, (row, r) => {
      nll!.data[row] = r.counts ? r.nll : 0;
      hit!.data[row] = r.counts && r.hit ? 1 : 0;
    });
    writeGradient(attrs, inputs, dlogits!.data);
  },
});

/** The loss is the root: nothing may come before it in the gradient walk. */
function checkRoot(op: string, dOutputs: readonly (Value | undefined)[]): void {
  if (dOutputs.some((d) => d !== undefined))
    throw new Error(`${op}: is the root of the loss, its outputs have no gradient`);
}

type Inputs = ReferenceCall<CrossEntropyAttrs>['inputs'];
interface Row {
  counts: boolean;
  lse: number;
  nll: number;
  hit: boolean;
}

function eachRow({ smoothing, ignore }: CrossEntropyAttrs, inputs: Inputs, visit: (row: number, r: Row) => void): void {
  const [logits, targets] = inputs;
  const V = matrixOf(logits!.shape).cols;
  for (let row = 0; row < targets!.data.length; row++) {
    const z = logits!.data.subarray(row * V, (row + 1) * V);
    const target = targets!.data[row]!;
    const largest = z.reduce((a, b) => Math.max(a, b));
    const lse = largest + Math.log(z.reduce((a, v) => a + Math.exp(v - largest), 0));
    const mean = z.reduce((a, v) => a + v, 0) / V;
    const counts = ignore === undefined || target !== ignore;
    visit(row, {
      counts,
      lse,
      nll: counts ? lse - (1 - smoothing) * z[target]! - smoothing * mean : 0,
      hit: z.indexOf(largest) === target,
    });
  }
}

/** The gradient of the logits, by `given` logsumexps or the rows' own. */
function writeGradient(attrs: CrossEntropyAttrs, inputs: Inputs, dlogits: Float64Array, given?: Float64Array): void {
  const [logits, targets, step] = inputs;
  const V = matrixOf(logits!.shape).cols;
  const weight = readStep(step!.data).tokenWeight;
  eachRow(attrs, inputs, (row, { counts, ...own }) => {
    const lse = given?.[row] ?? own.lse;
    for (let c = 0; c < V; c++) {
      const aim = (c === targets!.data[row] ? 1 - attrs.smoothing : 0) + attrs.smoothing / V;
      dlogits[row * V + c] = counts ? weight * (Math.exp(logits!.data[row * V + c]! - lse) - aim) : 0;
    }
  });
}

/** The loss and whether it was guessed, of each target. */
export interface Loss {
  readonly nll: Value;
  readonly hit: Value;
}

/** Cross-entropy of logits [..,V] against targets i32 [..]; `gradients` walks from `nll`. `step` is the graph's step input. */
export function crossEntropy(
  builder: Builder,
  logits: Value,
  targets: Value,
  step: Value,
  { smoothing = 0, ignore }: Partial<CrossEntropyAttrs> = {},
): Loss {
  const [nll, hit] = builder.apply(crossEntropyOp, [logits, targets, step], { smoothing, ignore });
  return { nll: nll!, hit: hit! };
}

/** The same for training in one dispatch: the logits become their gradient. */
export function crossEntropyFused(
  builder: Builder,
  logits: Value,
  targets: Value,
  step: Value,
  { smoothing = 0, ignore }: Partial<CrossEntropyAttrs> = {},
): Loss {
  const [nll, hit] = builder.apply(crossEntropyFusedOp, [logits, targets, step], { smoothing, ignore });
  return { nll: nll!, hit: hit! };
}
