// Gradients of layer norm. With g = dy * gamma, n = (s - mean) * rstd and means over a row:
//   ds_total = rstd * (g - mean(g) - n * mean(g * n)) + ds      (ds: what reaches s by another way; pre-norm)
//   dx = dropout'(ds_total)
//   partials [blocks, 2 * cols] = sums over a block's rows of (dy * n, dy), to be summed by column_sum into dgamma and dbeta
// A workgroup works on BLOCK rows: a team of threads a row for the two means, then a thread a column (a cell) for the rest.
// include lib/index.wgsl
// include lib/step.wgsl
// include lib/team.wgsl

struct Params {
  rows: u32,
  cols: u32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> dy: array<Cell>;
@group(0) @binding(1) var<storage, read> ds: array<Cell>;
@group(0) @binding(2) var<storage, read> s: array<Cell>;
@group(0) @binding(3) var<storage, read> stats: array<f32>;
@group(0) @binding(4) var<storage, read> gamma: array<Cell>;
@group(0) @binding(5) var<storage, read_write> ds_total: array<Cell>;
@group(0) @binding(6) var<storage, read_write> dx: array<Cell>;
@group(0) @binding(7) var<storage, read_write> partials: array<Cell>;
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

fn dy_at(i: u32) -> Cell {
  if (DY_IN == 1u) {
    return ds_total[i];
  }
  if (DY_IN == 2u) {
    return dx[i];
  }
  return dy[i];
}

fn ds_at(i: u32) -> Cell {
  if (DS_IN == 1u) {
    return ds_total[i];
  }
  if (DS_IN == 2u) {
    return dx[i];
  }
  if (DS_IN == 3u) {
    return ds[i];
  }
  return Cell(0.0);
}

@compute @workgroup_size(THREADS)
fn layer_norm_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let block = group_index(group, groups);
  let cells = params.cols / CELL;
  let first = block * BLOCK;
  let live = min(BLOCK, params.rows - min(first, params.rows));
  for (var r = 0u; r < BLOCK; r += ROWS) {
    let row = first + r + thread / TEAM;
    let begin = select(cells, thread % TEAM, row < params.rows);
    let mean = stats[min(2u * row, 2u * params.rows - 2u)];
    let rstd = stats[min(2u * row + 1u, 2u * params.rows - 1u)];
    var sum_g = Cell(0.0);
    var sum_gn = Cell(0.0);
    for (var c = begin; c < cells; c += TEAM) {
      let i = row * cells + c;
      let g = dy_at(i) * gamma[c];
      sum_g += g;
      sum_gn += g * (s[i] - mean) * rstd;
    }
    let total = team_sum(vec2(cell_sum(sum_g), cell_sum(sum_gn)), thread);
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
  for (var c = thread; c < cells; c += THREADS) {
    let gain = gamma[c];
    var dgamma = Cell(0.0);
    var dbeta = Cell(0.0);
    for (var r = 0u; r < live; r++) {
      let row = first + r;
      let i = row * cells + c;
      let rstd = stats[2u * row + 1u];
      let n = (s[i] - stats[2u * row]) * rstd;
      let d = dy_at(i);
      dgamma += d * n;
      dbeta += d;
      let total = rstd * (d * gain - means[r].x - n * means[r].y) + ds_at(i);
      ds_total[i] = total;
      if (DROPOUT) {
        dx[i] = total * cell_dropout(key, i, params.threshold, params.keep_scale);
      }
    }
    partials[block * 2u * cells + c] = dgamma;
    partials[block * 2u * cells + cells + c] = dbeta;
  }
}
