// y = (s - mean) * rstd * gamma + beta over the last axis, where s = x, or in `add_layer_norm` s = residual + dropout(x).
// stats [rows, 2] keeps mean and rstd. The second pass sums deviations from the mean of the first and corrects both, so that a mean
// that is large against the spread does no harm.
// Rows are read by cells, of one number or of four. Variants: ROWS rows a workgroup of THREADS, a team of THREADS / ROWS threads a row (a team of one has no barriers).
// include lib/index.wgsl
// include lib/step.wgsl
// include lib/team.wgsl

struct Params {
  rows: u32,
  cols: u32,
  eps: f32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<Cell>;
@group(0) @binding(1) var<storage, read> residual: array<Cell>;
@group(0) @binding(2) var<storage, read> gamma: array<Cell>;
@group(0) @binding(3) var<storage, read> beta: array<Cell>;
@group(0) @binding(4) var<storage, read_write> y: array<Cell>;
@group(0) @binding(5) var<storage, read_write> s: array<Cell>;
@group(0) @binding(6) var<storage, read_write> stats: array<f32>;
@group(0) @binding(7) var<uniform> params: Params;
@group(0) @binding(8) var<uniform> step: Step;

override DROPOUT: bool = false;
// Which input s has taken the memory of: 0 none, 1 residual, 2 x.
override SHARED: u32 = 0u;
const THREADS: u32 = 128u;
const ROWS: u32 = 4u;
const TEAM = THREADS / ROWS;

fn row_of(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
  return group_index(group, groups) * ROWS + thread / TEAM;
}

@compute @workgroup_size(THREADS)
fn layer_norm(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = row_of(group, groups, thread);
  let cells = params.cols / CELL;
  let start = row * cells + thread % TEAM;
  // An empty range where there is no such row: barriers must still be met.
  let end = select(start, (row + 1u) * cells, row < params.rows);
  var sum = Cell(0.0);
  for (var i = start; i < end; i += TEAM) {
    sum += x[i];
  }
  let rough = team_sum(vec2(cell_sum(sum), 0.0), thread).x / f32(params.cols);
  var first = Cell(0.0);
  var second = Cell(0.0);
  for (var i = start; i < end; i += TEAM) {
    let d = x[i] - rough;
    first += d;
    second += d * d;
  }
  let moments = team_sum(vec2(cell_sum(first), cell_sum(second)), thread) / f32(params.cols);
  let mean = rough + moments.x;
  let rstd = inverseSqrt(max(moments.y - moments.x * moments.x, 0.0) + params.eps);
  var c = thread % TEAM;
  for (var i = start; i < end; i += TEAM) {
    y[i] = (x[i] - mean) * rstd * gamma[c] + beta[c];
    c += TEAM;
  }
  if (row < params.rows && thread % TEAM == 0u) {
    stats[2u * row] = mean;
    stats[2u * row + 1u] = rstd;
  }
}

// Cell i of residual + dropout(x).
fn summed(i: u32, key: u32) -> Cell {
  var branch = Cell(0.0);
  if (SHARED == 2u) {
    branch = s[i];
  } else {
    branch = x[i];
  }
  if (DROPOUT) {
    branch *= cell_dropout(key, i, params.threshold, params.keep_scale);
  }
  if (SHARED == 1u) {
    return s[i] + branch;
  }
  return residual[i] + branch;
}

@compute @workgroup_size(THREADS)
fn add_layer_norm(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = row_of(group, groups, thread);
  let cells = params.cols / CELL;
  let start = row * cells + thread % TEAM;
  let end = select(start, (row + 1u) * cells, row < params.rows);
  var key = 0u;
  if (DROPOUT) {
    key = dropout_key(step.seed, step.step, params.site);
  }
  // Each thread reads again only what it has written itself.
  var sum = Cell(0.0);
  for (var i = start; i < end; i += TEAM) {
    let value = summed(i, key);
    s[i] = value;
    sum += value;
  }
  let rough = team_sum(vec2(cell_sum(sum), 0.0), thread).x / f32(params.cols);
  var first = Cell(0.0);
  var second = Cell(0.0);
  for (var i = start; i < end; i += TEAM) {
    let d = s[i] - rough;
    first += d;
    second += d * d;
  }
  let moments = team_sum(vec2(cell_sum(first), cell_sum(second)), thread) / f32(params.cols);
  let mean = rough + moments.x;
  let rstd = inverseSqrt(max(moments.y - moments.x * moments.x, 0.0) + params.eps);
  var c = thread % TEAM;
  for (var i = start; i < end; i += TEAM) {
    y[i] = (s[i] - mean) * rstd * gamma[c] + beta[c];
    c += TEAM;
  }
  if (row < params.rows && thread % TEAM == 0u) {
    stats[2u * row] = mean;
    stats[2u * row + 1u] = rstd;
  }
}
