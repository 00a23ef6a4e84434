// A custom op: RMSNorm (Zhang and Sennrich, 2019, "Root Mean Square Layer Normalization") with WGSL, gradient
// and reference.

import {
  attrsOf,
  type Builder,
  checkGradient,
  checkOp,
  type Device,
  defineOp,
  expectType,
  f32,
  Graph,
  gpuEngine,
  gridOf,
  matrixOf,
  randomTensor,
  tensorType,
  type Value,
} from 'heddle/engine';

// One thread per row; dgamma: one thread per column. The names of bindings and of the fields of Params are
// those of `launch`.
const wgsl = /* wgsl */ `
struct Params { rows: u32, cols: u32, eps: f32 }

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> gamma: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

fn inverse_rms(row: u32) -> f32 {
  var sum = 0.0;
  for (var c = 0u; c < params.cols; c++) {
    let v = x[row * params.cols + c];
    sum += v * v;
  }
  return inverseSqrt(sum / f32(params.cols) + params.eps);
}

@compute @workgroup_size(64)
fn rms_norm(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) { return; }
  let r = inverse_rms(row);
  for (var c = 0u; c < params.cols; c++) {
    let i = row * params.cols + c;
    out[i] = x[i] * r * gamma[c];
  }
}

@compute @workgroup_size(64)
fn rms_norm_dx(@builtin(global_invocation_id) id: vec3<u32>) {
  let row = id.x;
  if (row >= params.rows) { return; }
  let r = inverse_rms(row);
  var dot = 0.0;
  for (var c = 0u; c < params.cols; c++) {
    let i = row * params.cols + c;
    dot += dy[i] * gamma[c] * x[i];
  }
  for (var c = 0u; c < params.cols; c++) {
    let i = row * params.cols + c;
    out[i] = r * (dy[i] * gamma[c] - x[i] * r * r * dot / f32(params.cols));
  }
}

@compute @workgroup_size(64)
fn rms_norm_dgamma(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  if (c >= params.cols) { return; }
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    let i = row * params.cols + c;
    sum += dy[i] * x[i] * inverse_rms(row);
  }
  out[c] = sum;
}
`;

const shader = { name: 'rms-norm', source: wgsl };

/** eps is added to the mean square. */
type RmsNormAttrs = { readonly eps: number };

/** x [.., D], gamma [D], dy [.., D] -> dx [.., D], dgamma [D]. */
export const rmsNormBackwardOp = defineOp({
  name: 'rms_norm_backward',
  inputs: ['x', 'gamma', 'dy'],
  outputs: ['dx', 'dgamma'],
  attrs: attrsOf<RmsNormAttrs>(),
  shape: ({ x, gamma }) => ({ dx: x, dgamma: gamma }),
  launch({ x, gamma, dy }, { dx, dgamma }, { eps }) {
    const { rows, cols } = matrixOf(x.shape);
    const common = { shader, params: { rows, cols, eps } };
    return [
      { ...common, entry: 'rms_norm_dx', bind: { x, gamma, dy, out: dx }, grid: gridOf(rows, 64) },
      { ...common, entry: 'rms_norm_dgamma', bind: { x, gamma, dy, out: dgamma }, grid: gridOf(cols, 64) },
    ];
  },
  reference({ x, gamma, dy }, { dx, dgamma }, { eps }) {
    for (let row = 0; row < x.rows; row++) {
      const r = inverseRms(x.row(row), eps);
      let dot = 0;
      for (let c = 0; c < x.cols; c++) dot += dy.at(row, c) * gamma.at(c) * x.at(row, c);
      for (let c = 0; c < x.cols; c++) {
        dx.set(row, c, r * (dy.at(row, c) * gamma.at(c) - (x.at(row, c) * r * r * dot) / x.cols));
        dgamma.add(c, dy.at(row, c) * x.at(row, c) * r);
      }
    }
  },
});

/** x [.., D], gamma [D] -> y [.., D]: y = x / sqrt(mean(x²) + eps) · gamma over each row. */
export const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: ['x', 'gamma'],
  outputs: ['y'],
  attrs: attrsOf<RmsNormAttrs>(),
  shape({ x, gamma }) {
    expectType('rms_norm', 'x', x, 'f32');
    expectType('rms_norm', 'gamma', gamma, 'f32', [matrixOf(x.shape).cols]);
    return { y: tensorType('f32', x.shape) };
  },
  launch({ x, gamma }, { y }, { eps }) {
    const { rows, cols } = matrixOf(x.shape);
    const params = { rows, cols, eps };
    return [
      {
        shader,
        entry: 'rms_norm',
        params,
        bind: { x, gamma, out: y },
        grid: gridOf(rows, 64),
        flops: 4 * rows * cols,
      },
    ];
  },
  grad(builder, { x, gamma }, _outputs, { y: dy }, attrs) {
    if (!dy) return {};
    const { dx, dgamma } = builder.apply(rmsNormBackwardOp, { x, gamma, dy }, attrs);
    return { x: dx, gamma: dgamma };
  },
  reference({ x, gamma }, { y }, { eps }) {
    for (let row = 0; row < x.rows; row++) {
      const r = inverseRms(x.row(row), eps);
      for (let c = 0; c < x.cols; c++) y.set(row, c, x.at(row, c) * r * gamma.at(c));
    }
  },
});

function inverseRms(row: Float64Array, eps: number): number {
  return 1 / Math.sqrt(row.reduce((sum, v) => sum + v * v, 0) / row.length + eps);
}

/** RMSNorm as model code calls it. */
export const rmsNorm = (builder: Builder, x: Value, gamma: Value, eps = 1e-6): Value =>
  builder.apply(rmsNormOp, { x, gamma }, { eps }).y;

/**
 * Checks the op: kernels against the references on the GPU, and the gradient against finite differences.
 * Throws if one is wrong.
 */
export async function checkRmsNorm(device: Device): Promise<Record<string, number>> {
  const opCase = {
    inputs: { x: randomTensor([2, 5, 12], 1), gamma: randomTensor([12], 2) },
    attrs: { eps: 1e-6 },
    wrt: ['x', 'gamma'] as const,
  };
  checkGradient(rmsNormOp, opCase);
  return checkOp(device, rmsNormOp, opCase);
}

/** Runs the op: normalizes two rows. */
export async function runRmsNorm(device: Device): Promise<number[]> {
  const x = f32([2, 4], [1, -1, 1, -1, 2, 0, 0, 0]);
  const graph = new Graph();
  graph.output('y', rmsNorm(graph, graph.input('x', x.dtype, x.shape), graph.input('gamma', 'f32', [4])));
  const engine = gpuEngine(device);
  const [program] = await engine.prepare([graph]);
  if (!program) throw new Error('no program');
  program.inputs.x?.set(x.data);
  program.inputs.gamma?.fill(1);
  const { y } = await program.run();
  engine.destroy();
  return Array.from(y ?? []); // [1, -1, 1, -1, 2, 0, 0, 0]
}
