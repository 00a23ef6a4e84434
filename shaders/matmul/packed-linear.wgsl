// Linear layer with quantized weights: y = x · wᵀ + b, x [rows, ins], w [outs, ins] packed, and the gradient
// of its input, dx = dy · w. Entry points:
//   dots            few rows: a workgroup computes ROWS x 16 numbers, so that w is read once; 16 threads share the inner
//                   axis
//   tiles           register tiling: a thread computes ROWS x 4 numbers
//   input_gradient  register tiling: a thread computes ROWS rows of the columns in one vector of words (int4: in two
//                   of its words), which it reads once for each row of w; neighbouring threads read neighbouring
//                   vectors. The numbers of dy are the same for all threads of a workgroup
// include matmul/dots-sum.wgsl
// include shared/packed.wgsl

struct Params {
  rows: u32,
  ins: u32,
  outs: u32,
  vecs: u32, // vectors of words in a row of weights
  scale_words: u32, // words of scales of a row, for int4
  bias: u32, // 1: add the bias
  width: u32, // numbers in a row of y or dy, of which this launch computes or reads `outs`
  first: u32, // the first of them
  accumulate: u32, // 1: add to dx
}
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, ins]
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [outs]
@group(0) @binding(4) var<storage, read_write> y: array<f32>; // [rows, outs]
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<storage, read> dy: array<f32>; // [rows, width]
@group(0) @binding(7) var<storage, read_write> dx: array<f32>; // [rows, ins]

override UNPADDED_ROWS: bool = true; // a row of w has no padding
override PARTS_APART: bool = false; // words are read part by part, so that few registers wait for their use
const TILE_LANES: u32 = 32u;
// Parts up to which a loop is unrolled. CPUs have too few registers for the x of four parts of int8 or int4.
const MAX_UNROLLED: u32 = 4u;

// Vector c of a row of x, zeros past its end.
fn x_vec(row: u32, c: u32) -> vec4<f32> {
  let place = vec4(4u * c) + vec4(0u, 1u, 2u, 3u);
  let i = row * params.ins + min(place, vec4(params.ins - 1u));
  let v = vec4(x[i.x >> 2u][i.x & 3u], x[i.y >> 2u][i.y & 3u], x[i.z >> 2u][i.z & 3u], x[i.w >> 2u][i.w & 3u]);
  return select(vec4<f32>(), v, place < vec4(params.ins));
}

// Writes four numbers of row `row` of y from column `out` on, 0 past the last (padding, or columns of the
// next launch).
fn store(row: u32, out: u32, sums: vec4<f32>) {
  if (row >= params.rows || out >= params.outs) { return; }
  let at = min(vec4(out) + vec4(0u, 1u, 2u, 3u), vec4(params.outs - 1u));
  var v = sums * vec4(row_scale(at.x), row_scale(at.y), row_scale(at.z), row_scale(at.w));
  if (params.bias != 0u) {
    let b = params.first + at;
    v += vec4(bias[b.x], bias[b.y], bias[b.z], bias[b.w]);
  }
  v = select(vec4<f32>(), v, vec4(out) + vec4(0u, 1u, 2u, 3u) < vec4(params.outs));
  let column = params.first + out;
  let i = row * params.width + column;
  y[i] = v.x;
  if (column + 1u < params.width) { y[i + 1u] = v.y; }
  if (column + 2u < params.width) { y[i + 2u] = v.z; }
  if (column + 3u < params.width) { y[i + 3u] = v.w; }
}

// Vectors of words of four rows of w.
struct Words { w0: Packed, w1: Packed, w2: Packed, w3: Packed }

// Half of a part of four rows of w as a matrix with these rows: its product with a vector of x is four elements
// of y.
fn block(words: Words, part: u32, half: u32) -> mat4x4<f32> {
  return transpose(mat4x4(
    unpacked(words.w0, part, half), unpacked(words.w1, part, half), unpacked(words.w2, part, half), unpacked(words.w3, part, half)));
}

// The same, of a part of vectors `at` of w that is read now.
fn block_apart(words: Words, at: vec4<u32>, part: u32, half: u32) -> mat4x4<f32> {
  return block(Words(
    with_part(words.w0, at.x, part), with_part(words.w1, at.y, part), with_part(words.w2, at.z, part), with_part(words.w3, at.w, part)), 0u, half);
}

// The numbers of a row of x that belong to half of a part of vector c of w.
@if(int4) fn x_of(row: u32, c: u32, part: u32, half: u32) -> vec4<f32> {
  let i = c * VECS_PER_LOAD + 2u * part;
  let first = row * params.vecs * VECS_PER_LOAD + i;
  var a: vec4<f32>;
  var b: vec4<f32>;
  if (UNPADDED_ROWS) { a = x[first]; b = x[first + 1u]; } else { a = x_vec(row, i); b = x_vec(row, i + 1u); }
  if (half == 0u) { return vec4(a.xz, b.xz); }
  return vec4(a.yw, b.yw);
}
@else fn x_of(row: u32, c: u32, part: u32, half: u32) -> vec4<f32> {
  if (UNPADDED_ROWS) { return x[(row * params.vecs + c) * VECS_PER_LOAD + part]; }
  return x_vec(row, c * VECS_PER_LOAD + part);
}

// Sums of ROWS rows of x from `row` on and four of w from `out` on, over every `stride`-th vector of words
// from `begin`. Rows past the last are the last.
fn sums_of(row: u32, out: u32, begin: u32, stride: u32) -> array<vec4<f32>, ROWS> {
  var sums: array<vec4<f32>, ROWS>;
  let rows = min(vec4(out) + vec4(0u, 1u, 2u, 3u), vec4(params.outs - 1u));
  var w_at = rows * params.vecs + begin;
  var x_rows: array<u32, ROWS>;
  // unroll
  for (var r = 0u; r < ROWS; r++) { x_rows[r] = min(row + r, params.rows - 1u); }
  for (var c = begin; c < params.vecs; c += stride) {
    let words = Words(packed(w_at.x, rows.x, c), packed(w_at.y, rows.y, c), packed(w_at.z, rows.z, c), packed(w_at.w, rows.w, c));
    // unroll up to MAX_UNROLLED
    for (var part = 0u; part < min(PARTS, 4u * params.vecs); part++) {
      // unroll
      for (var half = 0u; half < HALVES; half++) {
        var b: mat4x4<f32>;
        if (PARTS_APART) { b = block_apart(words, w_at, part, half); } else { b = block(words, part, half); }
        // unroll
        for (var r = 0u; r < ROWS; r++) {
          let v = x_of(x_rows[r], c, part, half);
          sums[r] += b[0] * v.x;
          sums[r] += b[1] * v.y;
          sums[r] += b[2] * v.z;
          sums[r] += b[3] * v.w;
        }
      }
    }
    w_at += vec4(stride);
  }
  return sums;
}

@compute @workgroup_size(THREADS)
fn dots(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = ROWS * group.y;
  let out = COLUMNS * group.x + thread / LANES * 4u;
  // Threads past the last row of w read nothing.
  let begin = select(thread % LANES, params.vecs, out >= params.outs);
  let sums = sums_of(row, out, begin, LANES);
  // unroll
  for (var r = 0u; r < ROWS; r += 4u) {
    let total = dots_sum(array(sums[r], sums[min(r + 1u, ROWS - 1u)], sums[min(r + 2u, ROWS - 1u)], sums[min(r + 3u, ROWS - 1u)]), thread);
    if (stores_dots(thread) && r + thread % 4u < ROWS) {
      store(row + r + thread % 4u, COLUMNS * group.x + column_of_dots(thread), total);
    }
  }
}

@compute @workgroup_size(TILE_LANES)
fn tiles(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let out = 4u * (group.x * TILE_LANES + thread);
  let row = ROWS * group.y;
  if (out >= params.outs) { return; }
  var sums = sums_of(row, out, 0u, 1u);
  // A bound that compilers do not know, so that they do not unroll the loop.
  let left = min(ROWS, params.rows - row);
  for (var r = 0u; r < left; r++) { store(row + r, out, sums[r]); }
}

// Threads that share a vector of words in input_gradient, and the parts of one of them.
const SHARES: u32 = HALVES;
const SHARE_PARTS: u32 = PARTS / SHARES;

@compute @workgroup_size(TILE_LANES)
fn input_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let share = (group.x * TILE_LANES + thread) % SHARES;
  let c = (group.x * TILE_LANES + thread) / SHARES;
  let row = ROWS * group.y;
  if (c >= params.vecs) { return; }
  var sums: array<array<vec4<f32>, SHARE_PARTS * HALVES>, ROWS>;
  var at: array<u32, ROWS>;
  // Rows past the last are the last. unroll
  for (var r = 0u; r < ROWS; r++) { at[r] = min(row + r, params.rows - 1u) * params.width + params.first; }
  for (var o = 0u; o < params.outs; o++) {
    let words = share_of(packed(o * params.vecs + c, o, c), share);
    let scale = row_scale(o);
    var d: array<f32, ROWS>;
    // unroll
    for (var r = 0u; r < ROWS; r++) { d[r] = dy[at[r] + o] * scale; }
    // unroll
    for (var part = 0u; part < SHARE_PARTS; part++) {
      // unroll
      for (var half = 0u; half < HALVES; half++) {
        let v = unpacked(words, part, half);
        // unroll
        for (var r = 0u; r < ROWS; r++) { sums[r][part * HALVES + half] += v * d[r]; }
      }
    }
  }
  // Bounds that compilers do not know, so that they do not unroll the loops.
  let left = min(ROWS, params.rows - row);
  let begin = 4u * (VECS_PER_LOAD * c + SHARE_PARTS * HALVES * share);
  let count = min(4u * SHARE_PARTS * HALVES, params.ins - min(begin, params.ins));
  for (var r = 0u; r < left; r++) {
    for (var k = 0u; k < count; k++) {
      let i = (row + r) * params.ins + begin + k;
      // Halves alternate.
      let place = k % (4u * HALVES);
      var sum = sums[r][k / (4u * HALVES) * HALVES + place % HALVES][place / HALVES];
      if (params.accumulate != 0u) { sum += dx[i]; }
      dx[i] = sum;
    }
  }
}
