// Forbids tokens by bit masks and by Whisper's rules of time stamps: adds MASKED to their logits. One workgroup
// per row of logits z [R, V]. Rules of stamps, over the tokens generated after the prompt: after two stamps (or
// one at the start) no stamp; after one stamp behind text a stamp or the end; no stamp before the last one; at
// the start a stamp of at most `max_initial`; and if all stamps together are more probable than any other token,
// a stamp. Outputs for each row the log of the probability of all allowed tokens, and the probability of one
// token before the rules.
// include shared/kernel.wgsl

struct Params {
  rows: u32,
  cols: u32, // numbers in a row of logits, of which the first `vocab` are those of tokens
  vocab: u32,
  positions: u32, // width of history
  words: u32, // of a mask
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read_write> logits: array<f32>;
@group(0) @binding(3) var<storage, read> history: array<i32>;
// Bits of tokens that are forbidden as the first one after the prompt, then of those that always are.
@group(0) @binding(4) var<storage, read> masks: array<u32>;
// Length of the prompt, first stamp (-1: no rules of stamps), end token, maximum index of the first stamp (-1: any),
// the token whose probability to output.
@group(0) @binding(5) var<storage, read> settings: array<i32>;
@group(0) @binding(6) var<storage, read_write> shift: array<f32>; // [R]
@group(0) @binding(7) var<storage, read_write> watched: array<f32>; // [R]

const THREADS: u32 = 256u;

// A sum of exponentials, relative to the largest.
struct LogSum {
  largest: f32,
  sum: f32,
}

// Tokens: all, allowed ones that are no stamps, allowed stamps.
struct Sums {
  all: LogSum,
  text: LogSum,
  stamps: LogSum,
}

var<workgroup> shared_sums: array<Sums, THREADS>;

fn empty() -> LogSum {
  return LogSum(LOWEST, 0.0);
}

fn joined(a: LogSum, b: LogSum) -> LogSum {
  let largest = max(a.largest, b.largest);
  return LogSum(largest, a.sum * exp(a.largest - largest) + b.sum * exp(b.largest - largest));
}

fn log_of(a: LogSum) -> f32 {
  if (a.sum == 0.0) { return LOWEST; }
  return a.largest + log(a.sum);
}

// Ranges of tokens that the rules of stamps forbid: those below `low`, those from `first` to `last` - 1, and those
// from `high` on.
struct Forbidden {
  low: i32,
  first: i32,
  last: i32,
  high: i32,
}

fn rules_of(row: u32) -> Forbidden {
  let stamp = settings[1];
  let start = settings[0];
  let count = i32(step.position) + 1 - start; // generated tokens
  var out = Forbidden(0, 0, 0, i32(params.vocab));
  if (stamp < 0 || count < 0) { return out; }
  if (count == 0) {
    out.low = stamp;
    if (settings[3] >= 0) { out.high = stamp + settings[3] + 1; }
    return out;
  }
  let at = i32(row * params.positions) + start;
  let after_stamp = history[at + count - 1] >= stamp;
  let after_two = count < 2 || history[at + max(count - 2, 0)] >= stamp;
  if (after_stamp && after_two) { out.high = stamp; }
  if (after_stamp && !after_two) { out.low = settings[2]; }
  for (var i = count - 1; i >= 0; i--) {
    let token = history[at + i];
    if (token >= stamp) {
      out.first = stamp;
      out.last = token + select(1, 0, after_stamp && !after_two);
      break;
    }
  }
  return out;
}

fn is_allowed(token: u32, rules: Forbidden) -> bool {
  let generated = i32(step.position) + 1 - settings[0];
  if (generated < 0) { return true; }
  let mask = select(params.words, 0u, generated == 0);
  if (((masks[mask + token / 32u] >> (token % 32u)) & 1u) != 0u) { return false; }
  let t = i32(token);
  return t >= rules.low && t < rules.high && (t < rules.first || t >= rules.last);
}

@compute @workgroup_size(THREADS)
fn restrict_tokens(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group.y * groups.x + group.x;
  let exists = row < params.rows;
  let start = row * params.cols;
  let stamp = select(settings[1], i32(params.vocab), settings[1] < 0);
  var rules = Forbidden(0, 0, 0, 0);
  var own = Sums(empty(), empty(), empty());
  if (exists) {
    rules = rules_of(row);
    for (var c = thread; c < params.vocab; c += THREADS) {
      let one = LogSum(logits[start + c], 1.0);
      own.all = joined(own.all, one);
      if (is_allowed(c, rules)) {
        if (i32(c) < stamp) { own.text = joined(own.text, one); } else { own.stamps = joined(own.stamps, one); }
      }
    }
  }
  shared_sums[thread] = own;
  workgroupBarrier();
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    if (thread < stride) {
      let a = shared_sums[thread];
      let b = shared_sums[thread + stride];
      shared_sums[thread] = Sums(joined(a.all, b.all), joined(a.text, b.text), joined(a.stamps, b.stamps));
    }
    workgroupBarrier();
  }
  let sums = shared_sums[0];
  if (!exists) { return; }
  let only_stamps = settings[1] >= 0 && sums.stamps.sum > 0.0 && log_of(sums.stamps) > sums.text.largest;
  if (thread == 0u) {
    let all = log_of(sums.all);
    let allowed = select(log_of(joined(sums.text, sums.stamps)), log_of(sums.stamps), only_stamps);
    shift[row] = allowed - all;
    watched[row] = exp(logits[start + u32(max(settings[4], 0))] - all);
  }
  storageBarrier();
  workgroupBarrier();
  for (var c = thread; c < params.vocab; c += THREADS) {
    if (!is_allowed(c, rules) || (only_stamps && i32(c) < stamp)) { logits[start + c] = MASKED; }
  }
}
