// y = x · wᵀ + b with packed weights: cells of four numbers, which the including file unpacks by
//   weight_cell(i) -> vec4<f32>   cell i of all, rows one after another
//   row_scale(row) -> f32         what the numbers of a row are still multiplied by
// Entry points: `dots` for few rows, where 64 threads share the numbers of a row and add up in workgroup memory; `tiles`, where each
// thread makes ROWS x 4 numbers by itself.

struct Params {
  rows: u32,
  ins: u32,
  outs: u32,
  cells: u32, // of a row of weights
  bias: u32, // 1: there is one
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, ins]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [outs]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, outs]
@group(0) @binding(5) var<uniform> params: Params;

override X_VECTORS: bool = true; // ins is a multiple of 4
override ROWS: u32 = 16u; // 4 or 16
const THREADS: u32 = 64u;
const LANES: u32 = 32u;

// A cell of a row of x, zeros beyond its end; rows past the last are the last.
fn x_cell(row: u32, cell: u32) -> vec4<f32> {
  let r = min(row, params.rows - 1u);
  if (X_VECTORS) { return x[r * params.cells + cell]; }
  let left = params.ins - 4u * cell;
  let i = r * params.ins + 4u * cell + min(vec4(0u, 1u, 2u, 3u), vec4(left - 1u));
  let v = vec4(x[i.x >> 2u][i.x & 3u], x[i.y >> 2u][i.y & 3u], x[i.z >> 2u][i.z & 3u], x[i.w >> 2u][i.w & 3u]);
  return select(vec4<f32>(), v, vec4(0u, 1u, 2u, 3u) < vec4(left));
}

fn x_block(row: u32, cell: u32) -> mat4x4<f32> {
  return mat4x4(x_cell(row, cell), x_cell(row + 1u, cell), x_cell(row + 2u, cell), x_cell(row + 3u, cell));
}

// A cell of four rows of w from `out` on, turned: its columns are four numbers of one place in a row each.
fn w_block(out: u32, cell: u32) -> mat4x4<f32> {
  let last = params.outs - 1u;
  return transpose(mat4x4(
    weight_cell(min(out, last) * params.cells + cell), weight_cell(min(out + 1u, last) * params.cells + cell),
    weight_cell(min(out + 2u, last) * params.cells + cell), weight_cell(min(out + 3u, last) * params.cells + cell)));
}

// Four numbers of y's row from column `out` on.
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
  for (var cell = thread; cell < params.cells; cell += THREADS) {
    sum += w_block(out, cell) * x_block(row, cell);
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
  for (var cell = 0u; cell < params.cells; cell++) {
    let block = w_block(out, cell);
    c0 += block * x_block(row, cell);
    if (ROWS > 4u) {
      c1 += block * x_block(row + 4u, cell);
      c2 += block * x_block(row + 8u, cell);
      c3 += block * x_block(row + 12u, cell);
    }
  }
  let tile = array(c0, c1, c2, c3);
  // As many as there are: a bound of the run, which keeps compilers from writing all of them out.
  let left = min(ROWS, params.rows - row);
  for (var r = 0u; r < left; r++) { store(row + r, out, tile[r >> 2u][r & 3u]); }
}
