// Gradients of RMSNorm. With g = dy * gamma, n = s * rstd and the mean over a row:
//   ds_total = rstd * (g - n * mean(g * n)) + ds, with ds the gradient of s by its other uses (residuals)
//   dx = dropout'(ds_total)
//   partials [blocks, cols] = sums over a block's rows of dy * n; column_sum adds them up to dgamma
// A workgroup computes BLOCK rows: first the means, by a row group per row, then the rest, by a thread per column
// (vector).
// include shared/thread.wgsl
// include shared/step-scalars.wgsl
// include shared/row-group.wgsl
// include shared/vec4.wgsl | scalar: shared/scalar.wgsl

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

// Memory of dy: 0 a binding of its own, 1 ds_total, 2 dx. Memory of ds: the same with 3 for its own; 0: no ds.
override DY_IN: u32 = 0u;
override DS_IN: u32 = 0u;
// Whether dx is written, as dropout'(ds_total).
override DROPOUT: bool = false;
const BLOCK: u32 = 16u;

// For each row of the block (rstd, mean(g * n)).
var<workgroup> by_row: array<vec2<f32>, BLOCK>;

fn dy_at(i: u32) -> Vec {
  if (DY_IN == 1u) { return ds_total[i]; }
  if (DY_IN == 2u) { return dx[i]; }
  return dy[i];
}

fn ds_at(i: u32) -> Vec {
  if (DS_IN == 1u) { return ds_total[i]; }
  if (DS_IN == 2u) { return dx[i]; }
  if (DS_IN == 3u) { return ds[i]; }
  return Vec(0.0);
}

@compute @workgroup_size(THREADS)
fn rms_norm_backward(thread: Thread) {
  let block = group_index(thread);
  let vecs = params.cols / VEC;
  let first = block * BLOCK;
  for (var r = 0u; r < BLOCK; r += ROWS) {
    let row = first + r + thread.index / ROW_GROUP;
    let begin = select(vecs, thread.index % ROW_GROUP, row < params.rows);
    let rstd = stats[min(row, params.rows - 1u)];
    var sum_gn = Vec(0.0);
    for (var c = begin; c < vecs; c += ROW_GROUP) {
      let i = row * vecs + c;
      sum_gn += dy_at(i) * gamma[c] * s[i] * rstd;
    }
    let total = row_group_sum(vec2(vec_sum(sum_gn), 0.0), thread.index).x;
    if (thread.index % ROW_GROUP == 0u) {
      by_row[r + thread.index / ROW_GROUP] = vec2(rstd, total / f32(params.cols));
    }
  }
  workgroupBarrier();

  var key = 0u;
  if (DROPOUT) { key = dropout_key(step.seed, step.step, params.site); }
  for (var c = thread.index; c < vecs; c += THREADS) {
    let gain = gamma[c];
    var dgamma = Vec(0.0);
    var i = first * vecs + c;
    // Indices of `by_row` need no check, since the bound is constant.
    for (var r = 0u; r < BLOCK; r++) {
      if (first + r >= params.rows) { break; }
      let row = by_row[r];
      let n = s[i] * row.x;
      let d = dy_at(i);
      dgamma += d * n;
      let total = row.x * (d * gain - n * row.y) + ds_at(i);
      ds_total[i] = total;
      if (DROPOUT) { dx[i] = total * vec_dropout(key, i, params.threshold, params.keep_scale); }
      i += vecs;
    }
    partials[block * vecs + c] = dgamma;
  }
}
