// Ops whose tensors lie in memory as f16: every kernel, forward and backward, inputs and outputs narrowed, against the reference on the
// same rounded numbers. Without shader-f16 they are refused by name.

import { describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../src/core/float16.ts';
import type { Shape } from '../../src/core/tensor.ts';
import { crossAttentionOp, selfAttentionOp } from '../../src/ops/attention/attention.ts';
import { activationOp } from '../../src/ops/elementwise/activation.ts';
import { addOp } from '../../src/ops/elementwise/add.ts';
import { halfWeightsOp } from '../../src/ops/elementwise/cast-weights.ts';
import { dropoutOp } from '../../src/ops/elementwise/dropout.ts';
import { embeddingOp } from '../../src/ops/embedding/embedding.ts';
import { crossEntropyBackwardOp, crossEntropyFusedOp, crossEntropyOp } from '../../src/ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../../src/ops/loss/projected-loss.ts';
import { linearOp } from '../../src/ops/matmul/linear.ts';
import { linearBackwardOp } from '../../src/ops/matmul/linear-backward.ts';
import { addLayerNormOp, layerNormOp } from '../../src/ops/norm/layer-norm.ts';
import type { Attrs, Op } from '../../src/ops/op.ts';
import { fillTokenIndex } from '../../src/text/batches/batch-inputs.ts';
import { gpuDevice } from '../support/gpu.ts';
import { checkOp, integers, type OpCase, randomTensor } from '../support/op.ts';
import { runOp } from '../support/run-op.ts';

const r = (...shape: number[]) =>
  randomTensor(
    shape,
    shape.reduce((a, b) => 31 * a + b, 7),
  );
const lengths = integers('u32', [2], [9, 4]);

/** Op, case, and for the message its sizes. Rows of a multiple of 4 and others take different kernels. */
const cases: [Op, OpCase<Attrs>, string][] = [];
const add = <A extends Attrs>(op: Op<A>, c: OpCase<A>, what = '') =>
  cases.push([op as unknown as Op, c as unknown as OpCase<Attrs>, what]);

for (const [m, k, n, activation] of [
  [33, 36, 68, 'gelu'],
  [9, 35, 17, 'none'],
  [70, 528, 12, 'relu'],
] as const)
  add(
    linearOp,
    { inputs: [r(m, k), r(n, k), r(n)], attrs: { activation, bias: true }, wrt: [0, 1, 2] },
    `${m}x${k}x${n} ${activation}`,
  );
for (const extra of ['add', 'relu'] as const) {
  const inputs = [r(33, 20), r(33, 36), r(20, 36), r(36, 33, 1)].map((t, i) => (i < 3 ? t : { ...t, shape: [33, 36] }));
  add(linearBackwardOp, { inputs, attrs: { dx: true, dw: true, db: true, extra } }, extra);
}
for (const cols of [64, 33]) {
  const affine = [r(cols), r(cols)];
  add(layerNormOp, { inputs: [r(17, cols), ...affine], attrs: { eps: 1e-5 }, wrt: [0, 1, 2] }, `${cols}`);
  for (const rate of cols === 64 ? [0.3] : [0]) {
    const inputs: OpCase<Attrs>['inputs'] = [
      r(17, cols),
      r(18, cols, 1),
      ...affine,
      ...(rate ? (['step'] as const) : []),
    ];
    inputs[1] = { ...r(17 * cols), shape: [17, cols] };
    add(
      addLayerNormOp,
      { inputs, attrs: { eps: 1e-5, rate, site: 3 }, wrt: [0, 1, 2, 3], through: [0, 1] },
      `${cols} rate ${rate}`,
    );
  }
}
for (const headWidth of [32, 10]) {
  const attrs = { heads: 2, headWidth, causal: true, dropout: 0.2, site: 1 };
  add(selfAttentionOp, { inputs: [r(2, 9, 6 * headWidth), lengths, 'step'], attrs, wrt: [0] }, `${headWidth}`);
  add(
    crossAttentionOp,
    {
      inputs: [r(2, 5, 2 * headWidth), r(2, 9, 4 * headWidth), lengths, 'step'],
      attrs: { ...attrs, causal: false },
      wrt: [0, 1],
    },
    `${headWidth}`,
  );
}
for (const classes of [36, 257]) {
  const targets = integers('i32', [7], [1, 0, 35, 4, 9, 2, 30]);
  const inputs = [r(7, classes), targets, 'step' as const];
  const attrs = { smoothing: 0.1, ignore: 0 };
  const step = { tokenWeight: 8 };
  add(crossEntropyOp, { inputs, attrs, step }, `${classes}`);
  add(crossEntropyFusedOp, { inputs, attrs, step }, `${classes}`);
  const lse = { ...r(7), data: r(7).data.map((x) => x + 5) };
  add(crossEntropyBackwardOp, { inputs: [r(7, classes), lse, targets, 'step'], attrs, step }, `${classes}`);
}
{
  const targets = integers(
    'i32',
    [70],
    Array.from({ length: 70 }, (_, i) => i % 36),
  );
  const attrs = { smoothing: 0.1, ignore: 0, bias: true, gradients: true, rows: 64 };
  // Its logits, up to 32, are f16 inside: off by up to 2^-7, and so are the probabilities.
  const tolerance = 2 ** -7;
  add(projectedLossOp, {
    inputs: [r(70, 32), r(36, 32), targets, 'step', r(36)],
    attrs,
    step: { tokenWeight: 8 },
    tolerance,
  });
}
for (const width of [20, 7]) {
  const ids = integers('i32', [2, 5], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
  const [rowStart, occurrences] = [integers('u32', [11], []), integers('u32', [10], [])];
  fillTokenIndex(rowStart.data as Uint32Array, occurrences.data as Uint32Array, ids.data as Int32Array);
  const attrs = {
    scale: 2,
    positions: 'learned',
    offset: 1,
    decode: false,
    rate: 0.2,
    site: 2,
    indexed: true,
  } as const;
  const inputs = [ids, r(10, width), r(8, width), 'step' as const, rowStart, occurrences];
  add(embeddingOp, { inputs, attrs, wrt: [1, 2] }, `${width}`);
}
for (const n of [64, 37]) {
  add(addOp, { inputs: [r(n), r(n, 1)].map((t) => ({ ...t, shape: [n] })), attrs: {}, wrt: [0, 1] }, `${n}`);
  add(dropoutOp, { inputs: [r(n), 'step'], attrs: { rate: 0.3, site: 2 }, wrt: [0] }, `${n}`);
  for (const kind of n === 64 ? (['relu'] as const) : (['silu'] as const))
    add(activationOp, { inputs: [r(n)], attrs: { kind }, wrt: [0] }, `${n} ${kind}`);
}

const hasHalf = (await gpuDevice()).features.has('shader-f16');

// The machine may be busy, and each case compiles kernels of its own.
describe(hasHalf ? 'in f16' : 'without shader-f16', { timeout: 180_000 }, () => {
  for (const [op, c, what] of cases)
    it(`${op.name} ${what} ${hasHalf ? 'is what the reference makes of the rounded numbers' : 'is refused'}`, async () => {
      if (hasHalf) await checkOp(op, { tolerance: 1e-5, gradTolerance: 3e-5, ...c, half: true });
      else await expect(checkOp(op, { ...c, half: true })).rejects.toThrow(/has no shader-f16; use --precision f32/);
    });

  it('half_weights rounds the first weights, range by range', async () => {
    const size: Shape = [700];
    const run = runOp(
      halfWeightsOp,
      [r(700), { dtype: 'f16', shape: [640], data: new Uint16Array(640) }],
      {},
      {
        traits: { maxBindingBytes: 1024 },
      },
    );
    if (!hasHalf) return expect(run).rejects.toThrow(/half_weights .*: y would be held as f16/);
    const { states, dispatches } = await run;
    expect(dispatches).toBe(3);
    const want = fromFloat16(toFloat16(r(...size).data.slice(0, 640) as Float32Array));
    expect(fromFloat16(states[1] as Uint16Array)).toEqual(want);
  });
});
