// A user's own op with its own WGSL: RMSNorm (Zhang and Sennrich, 2019), forward and backward, compared with its reference.

import { it } from 'vitest';
import { matrixOf } from '../../src/core/tensor.ts';
import { attrsOf, defineOp, gridOf, tensorType } from '../../src/ops/op.ts';
import { checkGradient, checkOp, randomTensor } from '../support/op.ts';

const wgsl = /* wgsl */ `
struct Params { rows: u32, cols: u32, eps: f32 }
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

fn rstd(row: u32) -> f32 {
  var squares = 0.0;
  for (var c = 0u; c < params.cols; c++) { squares += x[row * params.cols + c] * x[row * params.cols + c]; }
  return inverseSqrt(squares / f32(params.cols) + params.eps);
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let r = rstd(id.x);
  for (var c = 0u; c < params.cols; c++) { y[id.x * params.cols + c] = x[id.x * params.cols + c] * r; }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let r = rstd(id.x);
  var mean = 0.0;
  for (var c = 0u; c < params.cols; c++) { mean += x[id.x * params.cols + c] * dy[id.x * params.cols + c]; }
  mean = mean * r * r / f32(params.cols);
  for (var c = 0u; c < params.cols; c++) {
    let i = id.x * params.cols + c;
    y[i] = r * (dy[i] - x[i] * mean);
  }
}
`;

const shader = { name: 'rms-norm', source: wgsl };
type RmsNormAttrs = { readonly eps: number };

const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: ['x'],
  outputs: ['y'],
  attrs: attrsOf<RmsNormAttrs>(),
  shape: ({ x }) => ({ y: tensorType('f32', x.shape) }),
  launch({ x }, { y }, { eps }) {
    const { rows, cols } = matrixOf(x.shape);
    return [{ shader, entry: 'forward', params: { rows, cols, eps }, bind: { x, y }, grid: gridOf(rows, 64) }];
  },
  grad: (builder, { x }, _outputs, { y: dy }, attrs) => ({
    x: dy && builder.apply(rmsNormBackwardOp, { x, dy }, attrs).dx,
  }),
  reference({ x }, { y }, { eps }) {
    for (let r = 0; r < x.rows; r++) {
      const rstd = 1 / Math.sqrt(x.row(r).reduce((sum, v) => sum + v * v, 0) / x.cols + eps);
      for (let c = 0; c < x.cols; c++) y.set(r, c, x.at(r, c) * rstd);
    }
  },
});

const rmsNormBackwardOp = defineOp({
  name: 'rms_norm_backward',
  inputs: ['x', 'dy'],
  outputs: ['dx'],
  attrs: attrsOf<RmsNormAttrs>(),
  shape: ({ x }) => ({ dx: tensorType('f32', x.shape) }),
  launch({ x, dy }, { dx }, { eps }) {
    const { rows, cols } = matrixOf(x.shape);
    return [{ shader, entry: 'backward', params: { rows, cols, eps }, bind: { x, dy, y: dx }, grid: gridOf(rows, 64) }];
  },
  reference({ x, dy }, { dx }, { eps }) {
    for (let r = 0; r < x.rows; r++) {
      const rstd = 1 / Math.sqrt(x.row(r).reduce((sum, v) => sum + v * v, 0) / x.cols + eps);
      let mean = 0;
      for (let c = 0; c < x.cols; c++) mean += (x.at(r, c) * dy.at(r, c) * rstd ** 2) / x.cols;
      for (let c = 0; c < x.cols; c++) dx.set(r, c, rstd * (dy.at(r, c) - x.at(r, c) * mean));
    }
  },
});

it('runs a user op with its own WGSL, forward and backward', async () => {
  const inputs = { x: randomTensor([2, 35, 24], 1) };
  // Sums of 24 squares in float32, and a square root.
  await checkOp(rmsNormOp, { inputs, attrs: { eps: 1e-6 }, wrt: ['x'], tolerance: 1e-6 });
});

it('checks the gradient of a user op against finite differences', () => {
  checkGradient(rmsNormOp, { inputs: { x: randomTensor([3, 5], 2) }, attrs: { eps: 1e-6 }, wrt: ['x'] });
});
