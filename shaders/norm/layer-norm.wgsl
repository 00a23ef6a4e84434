// Layer normalization over the last axis (Ba et al., 2016): y = (s - mean) * rstd * gamma + beta, where s = x
// or, with ADD, residual + dropout(x). stats [rows, 2] = (mean, rstd). Two passes: the second sums deviations
// from the mean of the first and corrects both moments, which keeps accuracy if the mean is large compared
// with the spread. One row group per row. With RMS it is RMSNorm (Zhang and Sennrich, 2019): y = s * rstd *
// gamma with rstd = 1 / sqrt(mean(s²) + eps), in one pass, stats [rows] = rstd; beta is not read.
// include shared/kernel.wgsl
// include shared/row-sum.wgsl
// include shared/vec.wgsl

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
@group(0) @binding(3) var<storage, read> beta: array<Vec>;
@group(0) @binding(4) var<storage, read_write> y: array<Vec>;
@group(0) @binding(5) var<storage, read_write> s: array<Vec>;
@group(0) @binding(6) var<storage, read_write> stats: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;
@group(0) @binding(8) var<uniform> step: Step;

override RMS: bool = false;
override ADD: bool = false;
override DROPOUT: bool = false;
// The input whose memory s overwrites: 0 none, 1 residual, 2 x.
override IN_PLACE_OF: u32 = 0u;

// Vector i of residual + dropout(x).
fn summed(i: u32, key: u32) -> Vec {
  var branch = Vec(0.0);
  if (IN_PLACE_OF == 2u) { branch = s[i]; } else { branch = x[i]; }
  if (DROPOUT) { branch *= vec_dropout(key, i, params.threshold, params.keep_scale); }
  if (IN_PLACE_OF == 1u) { return s[i] + branch; }
  return residual[i] + branch;
}

fn s_at(i: u32) -> Vec {
  if (ADD) { return s[i]; }
  return x[i];
}

// The term of the sum of the first pass.
fn summand(v: Vec) -> Vec {
  if (RMS) { return v * v; }
  return v;
}

@compute @workgroup_size(THREADS)
fn layer_norm(thread: Thread) {
  let row = row_of(thread);
  let vecs = params.cols / VEC;
  let start = row * vecs + thread.index % ROW_GROUP_SIZE;
  // An empty range if there is no such row: its threads still take part in barriers.
  let end = select(start, (row + 1u) * vecs, row < params.rows);
  var sum = Vec(0.0);
  if (ADD) {
    var key = 0u;
    if (DROPOUT) { key = dropout_key(step.seed, step.step, params.site); }
    // Each thread reads back only what it has written itself.
    for (var i = start; i < end; i += ROW_GROUP_SIZE) {
      let value = summed(i, key);
      s[i] = value;
      sum += summand(value);
    }
  } else {
    for (var i = start; i < end; i += ROW_GROUP_SIZE) { sum += summand(x[i]); }
  }
  let first_moment = row_group_sum(vec2(vec_sum(sum), 0.0), thread.index).x / f32(params.cols);
  var mean = 0.0;
  var variance = first_moment; // RMS: the mean of squares
  if (!RMS) {
    var first = Vec(0.0);
    var second = Vec(0.0);
    for (var i = start; i < end; i += ROW_GROUP_SIZE) {
      let d = s_at(i) - first_moment;
      first += d;
      second += d * d;
    }
    let moments = row_group_sum(vec2(vec_sum(first), vec_sum(second)), thread.index) / f32(params.cols);
    mean = first_moment + moments.x;
    variance = max(moments.y - moments.x * moments.x, 0.0);
  }
  let rstd = inverseSqrt(variance + params.eps);
  var c = thread.index % ROW_GROUP_SIZE;
  for (var i = start; i < end; i += ROW_GROUP_SIZE) {
    if (RMS) { y[i] = s_at(i) * rstd * gamma[c]; } else { y[i] = (s_at(i) - mean) * rstd * gamma[c] + beta[c]; }
    c += ROW_GROUP_SIZE;
  }
  if (row < params.rows && thread.index % ROW_GROUP_SIZE == 0u) {
    if (RMS) {
      stats[row] = rstd;
    } else {
      stats[2u * row] = mean;
      stats[2u * row + 1u] = rstd;
    }
  }
}
