// Repetition penalty (Keskar et al., 2019, "CTRL", section 4.1) on the logits z [R, V]: those of tokens that a row
// has so far are multiplied by the penalty if they are negative, else divided by it. One workgroup per row. With
// OF_LOG_PROBS the logits become log-probabilities before.
// include shared/kernel.wgsl

struct Params {
  rows: u32,
  cols: u32, // numbers in a row of logits, of which the first `vocab` are those of tokens
  vocab: u32,
  positions: u32, // width of history
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
// The tokens so far, [R, positions], up to step.position.
@group(0) @binding(3) var<storage, read> history: array<i32>;
@group(0) @binding(4) var<storage, read> penalty: array<f32>;

override OF_LOG_PROBS: bool = false;

const THREADS: u32 = 256u;

// A sum of exponentials, relative to the largest.
struct LogSum {
  largest: f32,
  sum: f32,
}

var<workgroup> log_sums: array<LogSum, THREADS>;

fn joined(a: LogSum, b: LogSum) -> LogSum {
  let largest = max(a.largest, b.largest);
  return LogSum(largest, a.sum * exp(a.largest - largest) + b.sum * exp(b.largest - largest));
}

// The sum of the exponentials of a row, for all threads, which must all call it.
fn log_sum_of(row: u32, thread: u32) -> LogSum {
  var own = LogSum(LOWEST, 0.0);
  if (row < params.rows) {
    for (var c = thread; c < params.vocab; c += THREADS) {
      own = joined(own, LogSum(logits[row * params.cols + c], 1.0));
    }
  }
  log_sums[thread] = own;
  workgroupBarrier();
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    if (thread < stride) { log_sums[thread] = joined(log_sums[thread], log_sums[thread + stride]); }
    workgroupBarrier();
  }
  let all = log_sums[0];
  workgroupBarrier();
  return all;
}

// Whether a token of a row is also at an earlier position.
fn occurs_before(start: u32, at: u32) -> bool {
  for (var i = 0u; i < at; i++) {
    if (history[start + i] == history[start + at]) { return true; }
  }
  return false;
}

@compute @workgroup_size(THREADS)
fn penalize_repeats(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.y * groups.x + group.x;
  if (OF_LOG_PROBS) {
    let all = log_sum_of(row, thread);
    if (row < params.rows) {
      for (var c = thread; c < params.vocab; c += THREADS) {
        let at = row * params.cols + c;
        logits[at] = (logits[at] - all.largest) - log(all.sum);
      }
    }
    storageBarrier();
    workgroupBarrier();
  }
  if (row >= params.rows) { return; }
  let start = row * params.positions;
  for (var i = thread; i <= step.position; i += THREADS) {
    let token = history[start + i];
    if (token < 0 || u32(token) >= params.vocab || occurs_before(start, i)) { continue; }
    let at = row * params.cols + u32(token);
    let z = logits[at];
    logits[at] = select(z / penalty[0], z * penalty[0], z < 0.0);
  }
}
