// Softmax over the last axis of [rows, cols]: y = exp(x - max) / sum over the columns a row sees, 0 in the others, which are not
// looked at. Row r sees the first `visible` columns: those of its sequence's length, and if causal no column past its own number.
// A team of threads works on a row, ROWS rows a workgroup of THREADS; a team of one thread has no barriers. Entry points:
//   softmax            y
//   softmax_backward   dx = y (dy - sum(y dy))
//   softmax_held, softmax_held_backward   the same for short rows, in lib/softmax-held.wgsl
// include lib/index.wgsl
// include lib/softmax-held.wgsl
// include lib/team.wgsl

struct Params {
  rows: u32,
  cols: u32,
  // Rows of the second last axis, and rows that share a length.
  queries: u32,
  rows_per_length: u32,
  has_lengths: u32,
  causal: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Cell>;
@group(0) @binding(1) var<storage, read> dy: array<Cell>;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<Cell>;
@group(0) @binding(4) var<uniform> params: Params;

// Whether y has the memory of x, or in the backward (where x is y, and y is dx) dx that of y or of dy.
override X_SHARED: bool = false;
override DY_SHARED: bool = false;
const THREADS: u32 = 256u;
const ROWS: u32 = 1u;
const TEAM = THREADS / ROWS;
const LOG2_E: f32 = 1.4426950408889634;
// Below every score.
const LOWEST: f32 = -1e38;

fn x_at(i: u32) -> Cell {
  if (X_SHARED) { return y[i]; }
  return x[i];
}

fn dy_at(i: u32) -> Cell {
  if (DY_SHARED) { return y[i]; }
  return dy[i];
}

// Columns that a row sees; 0 past the last row.
fn visible(row: u32) -> u32 {
  if (row >= params.rows) { return 0u; }
  var n = params.cols;
  if (params.has_lengths != 0u) { n = min(n, lens[row / params.rows_per_length]); }
  if (params.causal != 0u) { n = min(n, row % params.queries + 1u); }
  return n;
}

// The largest score and the sum of 2^(log2(e) (x - largest)) of a team's parts.
fn joined(part: vec2<f32>, thread: u32) -> vec2<f32> {
  if (TEAM == 1u) { return part; }
  team_scratch[thread] = part;
  workgroupBarrier();
  for (var stride = TEAM / 2u; stride > 0u; stride /= 2u) {
    if (thread % TEAM < stride) {
      let a = team_scratch[thread];
      let b = team_scratch[thread + stride];
      let top = max(a.x, b.x);
      team_scratch[thread] = vec2(top, a.y * exp2(LOG2_E * (a.x - top)) + b.y * exp2(LOG2_E * (b.x - top)));
    }
    workgroupBarrier();
  }
  return team_scratch[thread - thread % TEAM];
}

@compute @workgroup_size(THREADS)
fn softmax(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let seen = visible(row);
  let cells = params.cols / CELL;
  let start = row * cells;
  let first = thread % TEAM;
  let whole = seen / CELL;
  var top = LOWEST;
  var total = Cell(0.0);
  var c = first;
  // Four cells at a time that are seen whole, so that the sum is rescaled once for the four; then the others one by one.
  for (; c + 3u * TEAM < whole; c += 4u * TEAM) {
    let z0 = x_at(start + c);
    let z1 = x_at(start + c + TEAM);
    let z2 = x_at(start + c + 2u * TEAM);
    let z3 = x_at(start + c + 3u * TEAM);
    let next = max(top, cell_max(max(max(z0, z1), max(z2, z3))));
    total = total * exp2(LOG2_E * (top - next)) + (power(z0, next) + power(z1, next)) + (power(z2, next) + power(z3, next));
    top = next;
  }
  for (; c * CELL < seen; c += TEAM) {
    let z = cell_where(x_at(start + c), c, seen, LOWEST);
    let next = max(top, cell_max(z));
    total = total * exp2(LOG2_E * (top - next)) + cell_where(power(z, next), c, seen, 0.0);
    top = next;
  }
  let row_total = joined(vec2(top, cell_sum(total)), thread);
  let scale = select(0.0, 1.0 / row_total.y, seen > 0u);
  let end = select(0u, cells, row < params.rows);
  c = first;
  for (; c < whole; c += TEAM) { y[start + c] = scale * power(x_at(start + c), row_total.x); }
  for (; c < end; c += TEAM) {
    var value = Cell(0.0);
    if (c * CELL < seen) { value = cell_where(scale * power(x_at(start + c), row_total.x), c, seen, 0.0); }
    y[start + c] = value;
  }
}

// 2^(log2(e) (z - top)).
fn power(z: Cell, top: f32) -> Cell { return exp2(LOG2_E * (z - top)); }

@compute @workgroup_size(THREADS)
fn softmax_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let seen = visible(row);
  let cells = params.cols / CELL;
  let start = row * cells;
  let first = thread % TEAM;
  let whole = seen / CELL;
  var sum = Cell(0.0);
  var c = first;
  for (; c < whole; c += TEAM) { sum += x_at(start + c) * dy_at(start + c); }
  for (; c * CELL < seen; c += TEAM) { sum += cell_where(x_at(start + c) * dy_at(start + c), c, seen, 0.0); }
  let mean = team_sum(vec2(cell_sum(sum), 0.0), thread).x;
  let end = select(0u, cells, row < params.rows);
  c = first;
  for (; c < whole; c += TEAM) { y[start + c] = x_at(start + c) * (dy_at(start + c) - mean); }
  for (; c < end; c += TEAM) {
    var value = Cell(0.0);
    if (c * CELL < seen) { value = cell_where(x_at(start + c) * (dy_at(start + c) - mean), c, seen, 0.0); }
    y[start + c] = value;
  }
}
