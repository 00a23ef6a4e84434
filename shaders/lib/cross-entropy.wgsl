// Label-smoothed cross-entropy of each row of logits [N, V] against its target, e the smoothing, p the softmax:
//   nll = lse - (1 - e) z_target - e/V sum(z),  lse = log(sum(exp(z)));  dlogits = weight (p - (1 - e) onehot - e/V)
// Rows whose target is ignored give zeros. hit is 1 where the target's logit is the largest (the first of them, if several are).
// A team of threads works on a row, ROWS rows a workgroup of THREADS, and reads it by cells of one number or of four. Entry points:
//   cross_entropy           nll, lse, hit
//   cross_entropy_backward  dlogits from logits and lse, a thread a cell
//   cross_entropy_fused     nll, hit and dlogits
// include lib/index.wgsl
// include lib/step.wgsl
// include lib/team-softmax.wgsl

struct Params {
  rows: u32,
  cols: u32,
  smoothing: f32,
  // Whether there is an ignored target at all, and which.
  ignores: u32,
  ignored: i32,
}

@group(0) @binding(0) var<storage, read> logits: array<Cell>;
@group(0) @binding(1) var<storage, read> targets: array<i32>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> nll: array<f32>;
@group(0) @binding(4) var<storage, read_write> row_lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> hit: array<f32>;
@group(0) @binding(6) var<storage, read_write> dlogits: array<Cell>;
@group(0) @binding(7) var<uniform> params: Params;
@group(0) @binding(8) var<uniform> step: Step;

// Whether dlogits has the memory of logits.
override IN_PLACE: bool = false;
const THREADS: u32 = 256u;
const ROWS: u32 = 1u;
const TEAM = THREADS / ROWS;

fn cell_at(i: u32) -> Cell {
  if (IN_PLACE) {
    return dlogits[i];
  }
  return logits[i];
}

fn counts(row: u32) -> bool {
  return params.ignores == 0u || targets[row] != params.ignored;
}

// The logit of the target of a row.
fn target_logit_of(row: u32) -> f32 {
  let column = u32(targets[row]);
  return cell_number(cell_at(row * (params.cols / CELL) + column / CELL), column % CELL);
}

// The gradient of cell c of logits z of a row that counts, before the token's weight.
fn slope(z: Cell, c: u32, normalizer: f32, label: u32) -> Cell {
  let off = params.smoothing / f32(params.cols);
  return exp(z - normalizer) - off - cell_at_number(1.0 - params.smoothing, c, label);
}

fn loss(normalizer: f32, target_logit: f32, sum: f32) -> f32 {
  return normalizer - (1.0 - params.smoothing) * target_logit - params.smoothing / f32(params.cols) * sum;
}

@compute @workgroup_size(THREADS)
fn cross_entropy(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let scan = scan_row(row, params.rows, params.cols, thread);
  if (row >= params.rows || thread % TEAM != 0u) {
    return;
  }
  let normalizer = scan.largest + log(scan.exponentials);
  row_lse[row] = normalizer;
  if (counts(row)) {
    nll[row] = loss(normalizer, target_logit_of(row), scan.sum);
    hit[row] = select(0.0, 1.0, scan.index == u32(targets[row]));
  } else {
    nll[row] = 0.0;
    hit[row] = 0.0;
  }
}

@compute @workgroup_size(256)
fn cross_entropy_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * 256u + thread;
  let cells = params.cols / CELL;
  let row = i / cells;
  if (row >= params.rows) {
    return;
  }
  var value = Cell(0.0);
  if (counts(row)) {
    value = step.token_weight * slope(cell_at(i), i % cells, lse[row], u32(targets[row]));
  }
  dlogits[i] = value;
}

@compute @workgroup_size(THREADS)
fn cross_entropy_fused(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let exists = row < params.rows;
  let cells = params.cols / CELL;
  let start = row * cells;
  var label = 0u;
  var counted = false;
  if (exists) {
    label = u32(targets[row]);
    counted = counts(row);
  }
  // Read before the barriers of the scan, after which the team overwrites the row.
  var target_logit = 0.0;
  if (counted) {
    target_logit = target_logit_of(row);
  }
  let scan = scan_row(row, params.rows, params.cols, thread);
  let normalizer = scan.largest + log(scan.exponentials);
  if (exists && thread % TEAM == 0u) {
    nll[row] = select(0.0, loss(normalizer, target_logit, scan.sum), counted);
    hit[row] = select(0.0, 1.0, counted && scan.index == label);
  }
  let end = select(0u, cells, exists);
  if (counted) {
    for (var c = thread % TEAM; c < end; c += TEAM) {
      dlogits[start + c] = step.token_weight * slope(cell_at(start + c), c, normalizer, label);
    }
  } else {
    for (var c = thread % TEAM; c < end; c += TEAM) {
      dlogits[start + c] = Cell(0.0);
    }
  }
}
