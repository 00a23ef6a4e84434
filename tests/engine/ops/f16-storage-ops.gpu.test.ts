// Ops with tensors stored as f16: every kernel, forward and backward, inputs and outputs as f16, compared
// with the reference on the same rounded numbers. Without shader-f16 they are rejected by name.

import { describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../../src/core/float16.ts';
import type { Shape } from '../../../src/core/tensor.ts';
import { wrapDevice } from '../../../src/engine/gpu/device.ts';
import { crossAttentionOp, selfAttentionOp } from '../../../src/engine/ops/attention/attention.ts';
import { castWeightsOp } from '../../../src/engine/ops/elementwise/cast-weights.ts';
import { activationOp, addOp, dropoutOp } from '../../../src/engine/ops/elementwise/elementwise-ops.ts';
import { embeddingOp } from '../../../src/engine/ops/embedding/embedding.ts';
import { crossEntropyBackwardOp, crossEntropyOp } from '../../../src/engine/ops/loss/cross-entropy.ts';
import { projectedLossOp } from '../../../src/engine/ops/loss/projected-loss.ts';
import { linearOp } from '../../../src/engine/ops/matmul/linear.ts';
import { linearBackwardOp } from '../../../src/engine/ops/matmul/linear-backward.ts';
import { addLayerNormOp, layerNormOp } from '../../../src/engine/ops/norm/layer-norm.ts';
import type { Attrs, Op } from '../../../src/engine/ops/op.ts';
import { fillTokenIndex } from '../../../src/text/batches/token-index.ts';
import { errorAbout, noF16 } from '../../support/expect-error.ts';
import { everyCase, gpuDevice, sample } from '../../support/gpu.ts';
import { checkOp, integers, type OpCase, randomTensor } from '../../support/op.ts';
import { runOp } from '../../support/run-op.ts';

const r = (...shape: number[]) =>
  randomTensor(
    shape,
    shape.reduce((a, b) => 31 * a + b, 7),
  );
const lengths = integers('u32', [2], [9, 4]);

/**
 * Name of the op, its sizes for the message, and its check. Rows of a multiple of 4 and others take different
 * kernels.
 */
const cases: {
  name: string;
  what: string;
  check(options: { tolerance: number; gradTolerance: number }): Promise<unknown>;
}[] = [];
const add = <I extends string, O extends string, A extends Attrs>(
  op: Op<I, O, A>,
  c: OpCase<I, O, A>,
  what = '',
) => cases.push({ name: op.name, what, check: (options) => checkOp(op, { ...options, ...c, f16: true }) });

/** Kernels that compile for seconds: npm test checks them on one layer. */
const slow = everyCase ? [] : ['tiled', 'dots'];

const layers = [
  [33, 36, 68, 'gelu'],
  [9, 35, 17, 'none'],
  [70, 528, 12, 'relu'],
] as const;
for (const [m, k, n, activation] of sample(layers, ([rows]) => rows < 70))
  add(
    linearOp,
    {
      inputs: { x: r(m, k), w: r(n, k), b: r(n) },
      attrs: { activation },
      wrt: k % 4 === 0 || everyCase ? ['x', 'w', 'b'] : [],
      without: k % 4 === 0 ? [] : slow,
    },
    `${m}x${k}x${n} ${activation}`,
  );
for (const epilogue of sample(['add', 'relu'] as const, (name) => name === 'add')) {
  const operand = { ...r(36, 33, 1), shape: [33, 36] };
  const inputs = { dy: r(33, 20), x: r(33, 36), w: r(20, 36), operand };
  add(
    linearBackwardOp,
    { inputs, attrs: { dx: true, dw: true, db: true, epilogue }, without: slow },
    epilogue,
  );
}
for (const cols of [64, 33]) {
  const affine = { gamma: r(cols), beta: r(cols) };
  add(
    layerNormOp,
    { inputs: { x: r(17, cols), ...affine }, attrs: { eps: 1e-5 }, wrt: ['x', 'gamma', 'beta'] },
    `${cols}`,
  );
  for (const rate of cols === 64 ? [0.3] : [0]) {
    const x = { ...r(17 * cols), shape: [17, cols] };
    const inputs = { x: r(17, cols), residual: x, ...affine, step: rate > 0 ? ('step' as const) : undefined };
    add(
      addLayerNormOp,
      {
        inputs,
        attrs: { eps: 1e-5, rate, site: 3 },
        wrt: ['x', 'residual', 'gamma', 'beta'],
        through: ['y', 's'],
      },
      `${cols} rate ${rate}`,
    );
  }
}
for (const headWidth of [32, 10]) {
  const attrs = { heads: 2, headWidth, causal: true, dropout: 0.2, site: 1 };
  add(
    selfAttentionOp,
    { inputs: { qkv: r(2, 9, 6 * headWidth), lens: lengths, step: 'step' }, attrs, wrt: ['qkv'] },
    `${headWidth}`,
  );
  add(
    crossAttentionOp,
    {
      inputs: { q: r(2, 5, 2 * headWidth), kv: r(2, 9, 4 * headWidth), lens: lengths, step: 'step' },
      attrs: { ...attrs, causal: false },
      wrt: ['q', 'kv'],
    },
    `${headWidth}`,
  );
}
for (const classes of sample([36, 257], (n) => n === 36)) {
  const targets = integers('i32', [7], [1, 0, 35, 4, 9, 2, 30]);
  const inputs = { logits: r(7, classes), targets, step: 'step' as const };
  const attrs = { smoothing: 0.1, ignore: 0 };
  const step = { tokenWeight: 8 };
  for (const fused of [false, true])
    add(crossEntropyOp, { inputs, attrs: { ...attrs, fused }, step }, `${classes}${fused ? ' fused' : ''}`);
  const lse = { ...r(7), data: r(7).data.map((x) => x + 5) };
  add(
    crossEntropyBackwardOp,
    { inputs: { logits: r(7, classes), lse, targets, step: 'step' }, attrs, step },
    `${classes}`,
  );
}
{
  const targets = integers(
    'i32',
    [70],
    Array.from({ length: 70 }, (_, i) => i % 36),
  );
  const attrs = { smoothing: 0.1, ignore: 0, gradients: true, rows: 64 };
  // Its logits, up to 32, are f16 inside: off by up to 2^-7, and so are the probabilities.
  const tolerance = 2 ** -7;
  add(projectedLossOp, {
    inputs: { x: r(70, 32), w: r(36, 32), targets, step: 'step', b: r(36) },
    attrs,
    step: { tokenWeight: 8 },
    without: slow,
    tolerance,
  });
}
for (const width of sample([20, 7], (n) => n === 20)) {
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
  } as const;
  const inputs = {
    ids,
    table: r(10, width),
    positions: r(8, width),
    step: 'step' as const,
    rowStart,
    occurrences,
  };
  add(embeddingOp, { inputs, attrs, wrt: ['table', 'positions'] }, `${width}`);
}
for (const n of [64, 37]) {
  add(addOp, { inputs: { a: r(n), b: { ...r(n, 1), shape: [n] } }, attrs: {}, wrt: ['a', 'b'] }, `${n}`);
  add(dropoutOp, { inputs: { x: r(n), step: 'step' }, attrs: { rate: 0.3, site: 2 }, wrt: ['x'] }, `${n}`);
  for (const kind of n === 64 ? (['relu'] as const) : (['silu'] as const))
    add(activationOp, { inputs: { x: r(n) }, attrs: { kind }, wrt: ['x'] }, `${n} ${kind}`);
}

const hasF16 = wrapDevice(await gpuDevice()).traits.f16;

// The machine may be busy, and each case compiles its own kernels.
describe(hasF16 ? 'in f16' : 'without shader-f16', () => {
  for (const { name, what, check } of cases)
    it(`${name} ${what} ${hasF16 ? 'equals the reference on rounded numbers' : 'is rejected'}`, async () => {
      const checked = check({ tolerance: 1e-5, gradTolerance: 3e-5 });
      if (hasF16) await checked;
      else await expect(checked).rejects.toThrow(errorAbout(noF16));
    });

  it('cast_weights rounds the first weights, range by range', async () => {
    const size: Shape = [700];
    const run = runOp(
      castWeightsOp,
      { weights: r(700), copies: { dtype: 'f16', shape: [640], data: new Uint16Array(640) } },
      {},
      {
        traits: { maxBindingBytes: 1024 },
      },
    );
    if (!hasF16)
      return expect(run).rejects.toThrow(
        errorAbout({ kind: 'unsupported', area: expect.stringMatching(/^cast_weights /), values: ['y'] }),
      );
    const { states, dispatches } = await run;
    expect(dispatches).toBe(3);
    const want = fromFloat16(toFloat16(r(...size).data.slice(0, 640) as Float32Array));
    expect(fromFloat16(states.copies as Uint16Array)).toEqual(want);
  });
});
