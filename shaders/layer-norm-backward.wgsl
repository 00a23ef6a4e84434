// Gradients of layer norm. With g = dy * gamma, n = (s - mean) * rstd and means over a row:
//   ds_total = rstd * (g - mean(g) - n * mean(g * n)) + ds      (ds: what reaches s by another way; pre-norm)
//   dx = dropout'(ds_total)
//   partials [blocks, 2 * cols] = sums over a block's rows of (dy * n, dy), to be summed by column_sum into dgamma and dbeta
// A workgroup works on BLOCK rows: a team of threads a row for the two means, then a thread a column for the rest.
// include lib/index.wgsl
// include lib/random.wgsl
// include lib/step.wgsl
// include lib/team.wgsl

struct Params {
  rows: u32,
  cols: u32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<f32>;
@group(0) @binding(1) var<storage, read> ds: array<f32>;
@group(0) @binding(2) var<storage, read> s: array<f32>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<f32>;
@group(0) @binding(5) var<storage, read_write> ds_total: array<f32>;
@group(0) @binding(6) var<storage, read_write> dx: array<f32>;
@group(0) @binding(7) var<storage, read_write> partials: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> step: Step;

// Where dy and ds are: 0 on their own (ds: absent), 1 in the memory of ds_total, 2 in that of dx; ds: 3 on its own.
override DY_IN: u32 = 0u;
override DS_IN: u32 = 0u;
// Whether dx is written at all, as dropout'(ds_total).
override DROPOUT: bool = false;
const THREADS: u32 = 128u;
const ROWS: u32 = 8u;
const TEAM = THREADS / ROWS;
const BLOCK: u32 = 16u;

var<workgroup> means: array<vec2<f32>, BLOCK>;

fn dy_at(i: u32) -> f32 {
  if (DY_IN == 1u) {
    return ds_total[i];
  }
  if (DY_IN == 2u) {
    return dx[i];
  }
  return dy[i];
}

fn ds_at(i: u32) -> f32 {
  if (DS_IN == 1u) {
    return ds_total[i];
  }
  if (DS_IN == 2u) {
    return dx[i];
  }
  if (DS_IN == 3u) {
    return ds[i];
  }
  return 0.0;
}

@compute @workgroup_size(THREADS)
fn layer_norm_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = group_index(group, groups);
  let first = block * BLOCK;
  let live = min(BLOCK, params.rows - min(first, params.rows));
  for (var r = 0u; r < BLOCK; r += ROWS) {
    let row = first + r + thread / TEAM;
    let begin = select(params.cols, thread % TEAM, row < params.rows);
    let mean = stats[min(2u * row, 2u * params.rows - 2u)];
    let rstd = stats[min(2u * row + 1u, 2u * params.rows - 1u)];
    var sums = vec2(0.0);
    for (var c = begin; c < params.cols; c += TEAM) {
      let i = row * params.cols + c;
      let g = dy_at(i) * gamma[c];
      sums += vec2(g, g * (s[i] - mean) * rstd);
    }
    let total = team_sum(sums, thread);
    if (thread % TEAM == 0u) {
      means[r + thread / TEAM] = total / f32(params.cols);
    }
  }
  workgroupBarrier();

  var key = 0u;
  if (DROPOUT) {
    key = dropout_key(step.seed, step.step, params.site);
  }
  if (live == 0u) {
    return;
  }
  for (var c = thread; c < params.cols; c += THREADS) {
    let gain = gamma[c];
    var dgamma = 0.0;
    var dbeta = 0.0;
    for (var r = 0u; r < live; r++) {
      let row = first + r;
      let i = row * params.cols + c;
      let rstd = stats[2u * row + 1u];
      let n = (s[i] - stats[2u * row]) * rstd;
      let d = dy_at(i);
      dgamma += d * n;
      dbeta += d;
      let total = rstd * (d * gain - means[r].x - n * means[r].y) + ds_at(i);
      ds_total[i] = total;
      if (DROPOUT) {
        dx[i] = total * dropout_factor(key, i, params.threshold, params.keep_scale);
      }
    }
    partials[block * 2u * params.cols + c] = dgamma;
    partials[block * 2u * params.cols + params.cols + c] = dbeta;
  }
}
