// Gradients of layer norm. With g = dy * gamma, n = (s - mean) * rstd and means over a row:
//   ds_total = rstd * (g - mean(g) - n * mean(g * n)) + ds, with ds the gradient of s by its other uses (residuals)
//   dx = dropout'(ds_total)
//   partials [blocks, 2 * cols] = sums over a block's rows of (dy * n, dy); column_sum adds them up to dgamma and dbeta
// RMS: gradients of RMSNorm. No means of s and g are subtracted, stats [rows] = rstd, and partials [blocks,
// cols] have no sums of dy. A workgroup computes BLOCK rows: first the two means, by a row group per row,
// then the rest, by a thread per column (vector).
// include shared/kernel.wgsl
// include shared/row-sum.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  cols: u32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<Vec>;
@group(0) @binding(1) var<storage, read> ds: array<Vec>;
@group(0) @binding(2) var<storage, read> s: array<Vec>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<Vec>;
@group(0) @binding(5) var<storage, read_write> ds_total: array<Vec>;
@group(0) @binding(6) var<storage, read_write> dx: array<Vec>;
@group(0) @binding(7) var<storage, read_write> partials: array<Vec>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> step: Step;

// Binding from which dy is read: 0 dy, 1 ds_total, 2 dx. Binding of ds: 0 no ds, 1 ds_total, 3 ds.
override DY_IN: u32 = 0u;
override DS_IN: u32 = 0u;
// Whether dx is written, as dropout'(ds_total).
override DROPOUT: bool = false;
override RMS: bool = false;
const BLOCK: u32 = 16u;

// For each row of the block (rstd, mean, mean(g), mean(g * n)).
var<workgroup> by_row: array<vec4<f32>, BLOCK>;

fn dy_at(i: u32) -> Vec {
  if (DY_IN == 1u) { return ds_total[i]; }
  if (DY_IN == 2u) { return dx[i]; }
  return dy[i];
}

fn ds_at(i: u32) -> Vec {
  if (DS_IN == 1u) { return ds_total[i]; }
  if (DS_IN == 3u) { return ds[i]; }
  return Vec(0.0);
}

// rstd and mean of a row.
fn stats_of(row: u32) -> vec2<f32> {
  let r = min(row, params.rows - 1u);
  if (RMS) { return vec2(stats[r], 0.0); }
  return vec2(stats[2u * r + 1u], stats[2u * r]);
}

fn normalized(v: Vec, rstd: f32, mean: f32) -> Vec {
  if (RMS) { return v * rstd; }
  return (v - mean) * rstd;
}

@compute @workgroup_size(THREADS)
fn layer_norm_backward(thread: Thread) {
  let block = group_index(thread);
  let vecs = params.cols / VEC;
  let first = block * BLOCK;
  for (var r = 0u; r < BLOCK; r += ROWS) {
    let row = first + r + thread.index / ROW_GROUP_SIZE;
    let begin = select(vecs, thread.index % ROW_GROUP_SIZE, row < params.rows);
    let own = stats_of(row);
    var sum_g = Vec(0.0);
    var sum_gn = Vec(0.0);
    for (var c = begin; c < vecs; c += ROW_GROUP_SIZE) {
      let i = row * vecs + c;
      let g = dy_at(i) * gamma[c];
      if (!RMS) { sum_g += g; }
      sum_gn += g * normalized(s[i], own.x, own.y);
    }
    let total = row_group_sum(vec2(vec_sum(sum_g), vec_sum(sum_gn)), thread.index) / f32(params.cols);
    if (thread.index % ROW_GROUP_SIZE == 0u) {
      by_row[r + thread.index / ROW_GROUP_SIZE] = vec4(own, total);
    }
  }
  workgroupBarrier();

  var key = 0u;
  if (DROPOUT) { key = dropout_key(step.seed, step.step, params.site); }
  for (var c = thread.index; c < vecs; c += THREADS) {
    let gain = gamma[c];
    var dgamma = Vec(0.0);
    var dbeta = Vec(0.0);
    var i = first * vecs + c;
    // Indices of `by_row` need no check, since the bound is constant.
    for (var r = 0u; r < BLOCK; r++) {
      if (first + r >= params.rows) { break; }
      let row = by_row[r];
      let n = normalized(s[i], row.x, row.y);
      let d = dy_at(i);
      dgamma += d * n;
      var slope = d * gain - n * row.w;
      if (!RMS) { dbeta += d; slope -= row.z; }
      let total = row.x * slope + ds_at(i);
      ds_total[i] = total;
      if (DROPOUT) { dx[i] = total * vec_dropout(key, i, params.threshold, params.keep_scale); }
      i += vecs;
    }
    if (RMS) {
      partials[block * vecs + c] = dgamma;
    } else {
      partials[block * 2u * vecs + c] = dgamma;
      partials[block * 2u * vecs + vecs + c] = dbeta;
    }
  }
}
