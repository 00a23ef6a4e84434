// Linear layer with quantized weights: y = x · wᵀ + b, x [rows, ins], w [outs, ins] packed in vectors of four numbers.
// Entry points:
//   dots   few rows: a workgroup computes 4x4 numbers, its 64 threads share the inner axis and reduce in workgroup
//          memory
//   tiles  register tiling: a thread computes ROWS x 4 numbers
// include f16: shared/packed-f16.wgsl | int8: shared/packed-int8.wgsl

struct Params {
  rows: u32,
  ins: u32,
  outs: u32,
  vecs: u32, // vectors of four numbers in a row of weights
  bias: u32, // 1: add the bias
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, ins]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [outs]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, outs]
@group(0) @binding(5) var<uniform> params: Params;

override X_VECTORS: bool = true; // ins is a multiple of 4
override ROWS: u32 = 16u; // 4 or 16
const THREADS: u32 = 64u;
const LANES: u32 = 32u;

// Vector c of a row of x, zeros past its end. Rows past the last read the last.
fn x_vec(row: u32, c: u32) -> vec4<f32> {
  let r = min(row, params.rows - 1u);
  if (X_VECTORS) { return x[r * params.vecs + c]; }
  let left = params.ins - 4u * c;
  let i = r * params.ins + 4u * c + min(vec4(0u, 1u, 2u, 3u), vec4(left - 1u));
  let v = vec4(x[i.x >> 2u][i.x & 3u], x[i.y >> 2u][i.y & 3u], x[i.z >> 2u][i.z & 3u], x[i.w >> 2u][i.w & 3u]);
  return select(vec4<f32>(), v, vec4(0u, 1u, 2u, 3u) < vec4(left));
}

fn x_block(row: u32, c: u32) -> mat4x4<f32> {
  return mat4x4(x_vec(row, c), x_vec(row + 1u, c), x_vec(row + 2u, c), x_vec(row + 3u, c));
}

// Vector c of the four rows of w from `out` on, transposed.
fn w_block(out: u32, c: u32) -> mat4x4<f32> {
  let last = params.outs - 1u;
  return transpose(mat4x4(
    weight_vec(min(out, last) * params.vecs + c), weight_vec(min(out + 1u, last) * params.vecs + c),
    weight_vec(min(out + 2u, last) * params.vecs + c), weight_vec(min(out + 3u, last) * params.vecs + c)));
}

// Writes four numbers of row `row` of y from column `out` on.
fn store(row: u32, out: u32, sums: vec4<f32>) {
  if (row >= params.rows || out >= params.outs) { return; }
  let at = min(vec4(out) + vec4(0u, 1u, 2u, 3u), vec4(params.outs - 1u));
  var v = sums * vec4(row_scale(at.x), row_scale(at.y), row_scale(at.z), row_scale(at.w));
  if (params.bias != 0u) { v += vec4(bias[at.x], bias[at.y], bias[at.z], bias[at.w]); }
  let i = row * params.outs + out;
  y[i] = v.x;
  if (out + 1u < params.outs) { y[i + 1u] = v.y; }
  if (out + 2u < params.outs) { y[i + 2u] = v.z; }
  if (out + 3u < params.outs) { y[i + 3u] = v.w; }
}

var<workgroup> partial: array<mat4x4<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn dots(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let out = 4u * group.x;
  let row = 4u * group.y;
  var sum: mat4x4<f32>;
  for (var c = thread; c < params.vecs; c += THREADS) {
    sum += w_block(out, c) * x_block(row, c);
  }
  partial[thread] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (thread < half) { partial[thread] += partial[thread + half]; }
  }
  workgroupBarrier();
  if (thread < 4u) { store(row + thread, out, partial[0][thread]); }
}

@compute @workgroup_size(LANES)
fn tiles(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let out = 4u * (group.x * LANES + thread);
  let row = ROWS * group.y;
  var c0: mat4x4<f32>;
  var c1: mat4x4<f32>;
  var c2: mat4x4<f32>;
  var c3: mat4x4<f32>;
  for (var c = 0u; c < params.vecs; c++) {
    let block = w_block(out, c);
    c0 += block * x_block(row, c);
    if (ROWS > 4u) {
      c1 += block * x_block(row + 4u, c);
      c2 += block * x_block(row + 8u, c);
      c3 += block * x_block(row + 12u, c);
    }
  }
  let tile = array(c0, c1, c2, c3);
  // A bound that compilers do not know, so that they do not unroll the loop.
  let left = min(ROWS, params.rows - row);
  for (var r = 0u; r < left; r++) { store(row + r, out, tile[r >> 2u][r & 3u]); }
}
