// Softmax over the last axis of [rows, cols]: y = exp(x - max) / sum in the columns that a row sees, and 0 in
// all others, which are not read. Row r sees the columns below its sequence's length and, if causal, up to
// column r % queries. Entry points:
//   softmax            y; online softmax (Milakov and Gimelshein, 2018), a row group per row
//   softmax_backward   dx = y (dy - sum(y dy)); a row group per row
//   softmax_held, softmax_held_backward   the same for short rows: a thread keeps a whole row of HELD vectors in registers,
//                                         so that it reads the row once
// include shared/kernel.wgsl
// include shared/row-sum.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  cols: u32,
  queries: u32, // size of the second last axis
  rows_per_length: u32,
  has_lengths: u32,
  causal: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Vec>;
@group(0) @binding(1) var<storage, read> dy: array<Vec>;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Vec>;
@group(0) @binding(4) var<uniform> params: Params;

// IN_PLACE: y overwrites x. In the backward pass x is the output of the forward pass and y is dx, which
// overwrites x (IN_PLACE) or dy (IN_PLACE_OF_DY).
override IN_PLACE: bool = false;
override IN_PLACE_OF_DY: bool = false;

fn x_at(i: u32) -> Vec {
  if (IN_PLACE) { return y[i]; }
  return x[i];
}

fn dy_at(i: u32) -> Vec {
  if (IN_PLACE_OF_DY) { return y[i]; }
  return dy[i];
}

// Number of columns that a row sees; 0 past the last row.
fn visible(row: u32) -> u32 {
  if (row >= params.rows) { return 0u; }
  var n = params.cols;
  if (params.has_lengths != 0u) { n = min(n, lens[row / params.rows_per_length]); }
  if (params.causal != 0u) { n = min(n, row % params.queries + 1u); }
  return n;
}

// Combines (maximum, sum of 2^(log2(e) (x - maximum))) over a row group.
@if(subgroups) fn joined(part: vec2<f32>, thread: u32) -> vec2<f32> {
  let own = lanes_joined(part);
  if (PARTS == 1u) { return own; }
  if (thread % LANES == 0u) { row_group_scratch[part_of(thread)] = own; }
  workgroupBarrier();
  return lanes_joined(select(vec2(LOWEST, 0.0), row_group_scratch[part_for(thread)], thread % LANES < PARTS));
}
@else fn joined(part: vec2<f32>, thread: u32) -> vec2<f32> {
  if (ROW_GROUP_SIZE == 1u) { return part; }
  row_group_scratch[thread] = part;
  workgroupBarrier();
  for (var stride = ROW_GROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP_SIZE < stride) {
      let a = row_group_scratch[thread];
      let b = row_group_scratch[thread + stride];
      let top = max(a.x, b.x);
      row_group_scratch[thread] = vec2(top, a.y * exp2(LOG2_E * (a.x - top)) + b.y * exp2(LOG2_E * (b.x - top)));
    }
    workgroupBarrier();
  }
  return row_group_scratch[thread - thread % ROW_GROUP_SIZE];
}

@if(subgroups) fn lanes_joined(part: vec2<f32>) -> vec2<f32> {
  let top = subgroupMax(part.x);
  return vec2(top, subgroupAdd(part.y * exp2(LOG2_E * (part.x - top))));
}

@compute @workgroup_size(THREADS)
fn softmax(thread: Thread) {
  let row = row_of(thread);
  let seen = visible(row);
  let vecs = params.cols / VEC;
  let start = row * vecs;
  let first = thread.index % ROW_GROUP_SIZE;
  let whole = seen / VEC;
  var top = LOWEST;
  var total = Vec(0.0);
  var c = first;
  // Four vectors at a time, all seen, so that the sum is rescaled once per four; then the others one by one.
  for (; c + 3u * ROW_GROUP_SIZE < whole; c += 4u * ROW_GROUP_SIZE) {
    let z0 = x_at(start + c);
    let z1 = x_at(start + c + ROW_GROUP_SIZE);
    let z2 = x_at(start + c + 2u * ROW_GROUP_SIZE);
    let z3 = x_at(start + c + 3u * ROW_GROUP_SIZE);
    let next = max(top, vec_max(max(max(z0, z1), max(z2, z3))));
    total = total * exp2(LOG2_E * (top - next)) + (exp_minus(z0, next) + exp_minus(z1, next)) + (exp_minus(z2, next) + exp_minus(z3, next));
    top = next;
  }
  for (; c * VEC < seen; c += ROW_GROUP_SIZE) {
    let z = vec_masked(x_at(start + c), c, seen, LOWEST);
    let next = max(top, vec_max(z));
    total = total * exp2(LOG2_E * (top - next)) + vec_masked(exp_minus(z, next), c, seen, 0.0);
    top = next;
  }
  let row_total = joined(vec2(top, vec_sum(total)), thread.index);
  let scale = select(0.0, 1.0 / row_total.y, seen > 0u);
  let end = select(0u, vecs, row < params.rows);
  c = first;
  for (; c < whole; c += ROW_GROUP_SIZE) { y[start + c] = scale * exp_minus(x_at(start + c), row_total.x); }
  for (; c < end; c += ROW_GROUP_SIZE) {
    var value = Vec(0.0);
    if (c * VEC < seen) { value = vec_masked(scale * exp_minus(x_at(start + c), row_total.x), c, seen, 0.0); }
    y[start + c] = value;
  }
}

// 2^(log2(e) (z - top)).
fn exp_minus(z: Vec, top: f32) -> Vec { return exp2(LOG2_E * (z - top)); }

@compute @workgroup_size(THREADS)
fn softmax_backward(thread: Thread) {
  let row = row_of(thread);
  let seen = visible(row);
  let vecs = params.cols / VEC;
  let start = row * vecs;
  let first = thread.index % ROW_GROUP_SIZE;
  let whole = seen / VEC;
  var sum = Vec(0.0);
  var c = first;
  for (; c < whole; c += ROW_GROUP_SIZE) { sum += x_at(start + c) * dy_at(start + c); }
  for (; c * VEC < seen; c += ROW_GROUP_SIZE) { sum += vec_masked(x_at(start + c) * dy_at(start + c), c, seen, 0.0); }
  let row_dot = row_group_sum(vec2(vec_sum(sum), 0.0), thread.index).x;
  let end = select(0u, vecs, row < params.rows);
  c = first;
  for (; c < whole; c += ROW_GROUP_SIZE) { y[start + c] = x_at(start + c) * (dy_at(start + c) - row_dot); }
  for (; c < end; c += ROW_GROUP_SIZE) {
    var value = Vec(0.0);
    if (c * VEC < seen) { value = vec_masked(x_at(start + c) * (dy_at(start + c) - row_dot), c, seen, 0.0); }
    y[start + c] = value;
  }
}

const HELD: u32 = 8u;

@compute @workgroup_size(THREADS)
fn softmax_held(thread: Thread) {
  let row = group_index(thread) * THREADS + thread.index;
  if (row >= params.rows) { return; }
  let seen = visible(row);
  let start = row * HELD;
  var z = array<Vec, HELD>();
  var tops = Vec(LOWEST);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    z[c] = vec_masked(x_at(start + c), c, seen, LOWEST);
    tops = max(tops, z[c]);
  }
  let top = vec_max(tops);
  var total = Vec(0.0);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    z[c] = vec_masked(exp_minus(z[c], top), c, seen, 0.0);
    total += z[c];
  }
  let scale = select(0.0, 1.0 / vec_sum(total), seen > 0u);
  // unroll
  for (var c = 0u; c < HELD; c++) { y[start + c] = scale * z[c]; }
}

@compute @workgroup_size(THREADS)
fn softmax_held_backward(thread: Thread) {
  let row = group_index(thread) * THREADS + thread.index;
  if (row >= params.rows) { return; }
  let seen = visible(row);
  let start = row * HELD;
  var p = array<Vec, HELD>();
  var d = array<Vec, HELD>();
  var sum = Vec(0.0);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    p[c] = vec_masked(x_at(start + c), c, seen, 0.0);
    d[c] = vec_masked(dy_at(start + c), c, seen, 0.0);
    sum += p[c] * d[c];
  }
  let row_dot = vec_sum(sum);
  // unroll
  for (var c = 0u; c < HELD; c++) { y[start + c] = p[c] * (d[c] - row_dot); }
}
