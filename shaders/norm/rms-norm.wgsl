// RMSNorm over the last axis (Zhang and Sennrich, 2019): y = s * rstd * gamma with rstd = 1 / sqrt(mean(s²) + eps), where
// s = x, and in `add_rms_norm` s = residual + dropout(x). stats [rows] = rstd. One row group per row.
// include shared/thread.wgsl
// include shared/step-scalars.wgsl
// include shared/row-group.wgsl
// include shared/vec4.wgsl | scalar: shared/scalar.wgsl

struct Params {
  rows: u32,
  cols: u32,
  eps: f32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Vec>;
@group(0) @binding(1) var<storage, read> residual: array<Vec>;
@group(0) @binding(2) var<storage, read> gamma: array<Vec>;
@group(0) @binding(3) var<storage, read_write> y: array<Vec>;
@group(0) @binding(4) var<storage, read_write> s: array<Vec>;
@group(0) @binding(5) var<storage, read_write> stats: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> step: Step;

override DROPOUT: bool = false;
// The input whose memory s overwrites: 0 none, 1 residual, 2 x.
override SHARED: u32 = 0u;

fn row_of(thread: Thread) -> u32 {
  return group_index(thread) * ROWS + thread.index / ROW_GROUP;
}

// 1 / sqrt of the mean of squares, from the sum of this thread's squares.
fn rstd_of(squares: Vec, thread: u32) -> f32 {
  let total = row_group_sum(vec2(vec_sum(squares), 0.0), thread).x;
  return inverseSqrt(total / f32(params.cols) + params.eps);
}

@compute @workgroup_size(THREADS)
fn rms_norm(thread: Thread) {
  let row = row_of(thread);
  let vecs = params.cols / VEC;
  let start = row * vecs + thread.index % ROW_GROUP;
  // An empty range if there is no such row: its threads still take part in barriers.
  let end = select(start, (row + 1u) * vecs, row < params.rows);
  var squares = Vec(0.0);
  for (var i = start; i < end; i += ROW_GROUP) {
    squares += x[i] * x[i];
  }
  let rstd = rstd_of(squares, thread.index);
  var c = thread.index % ROW_GROUP;
  for (var i = start; i < end; i += ROW_GROUP) {
    y[i] = x[i] * rstd * gamma[c];
    c += ROW_GROUP;
  }
  if (row < params.rows && thread.index % ROW_GROUP == 0u) {
    stats[row] = rstd;
  }
}

// Vector i of residual + dropout(x).
fn summed(i: u32, key: u32) -> Vec {
  var branch = Vec(0.0);
  if (SHARED == 2u) {
    branch = s[i];
  } else {
    branch = x[i];
  }
  if (DROPOUT) {
    branch *= vec_dropout(key, i, params.threshold, params.keep_scale);
  }
  if (SHARED == 1u) {
    return s[i] + branch;
  }
  return residual[i] + branch;
}

@compute @workgroup_size(THREADS)
fn add_rms_norm(thread: Thread) {
  let row = row_of(thread);
  let vecs = params.cols / VEC;
  let start = row * vecs + thread.index % ROW_GROUP;
  let end = select(start, (row + 1u) * vecs, row < params.rows);
  var key = 0u;
  if (DROPOUT) {
    key = dropout_key(step.seed, step.step, params.site);
  }
  // Each thread reads back only what it has written itself.
  var squares = Vec(0.0);
  for (var i = start; i < end; i += ROW_GROUP) {
    let value = summed(i, key);
    s[i] = value;
    squares += value * value;
  }
  let rstd = rstd_of(squares, thread.index);
  var c = thread.index % ROW_GROUP;
  for (var i = start; i < end; i += ROW_GROUP) {
    y[i] = s[i] * rstd * gamma[c];
    c += ROW_GROUP;
  }
  if (row < params.rows && thread.index % ROW_GROUP == 0u) {
    stats[row] = rstd;
  }
}
