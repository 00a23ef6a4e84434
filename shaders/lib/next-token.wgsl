// The next token of each row of logits [R, V], under rules that forbid some. A team of threads works on a row, ROWS rows a workgroup of
// THREADS, and reads it by cells; each thread alone touches its cells, every TEAM-th, so what it writes there needs no barrier. The
// logits are used up. Entry points:
//   greedy_token  the most probable token, and its log-probability in the model's own distribution, before the rules
//   best_tokens   the most probable ones, lib/best-tokens.wgsl
//   sample_token  one by chance, lib/sample-token.wgsl
// include lib/index.wgsl
// include lib/step.wgsl
// include lib/team-softmax.wgsl

struct Params {
  rows: u32,
  cols: u32,
  // Width of history.
  positions: u32,
  end: u32,
  // How many tokens `rules` bans.
  banned: u32,
  // How many tokens `best_tokens` looks for.
  wanted: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read_write> logits: array<Cell>;
// The tokens so far, [R, positions]: those up to step.position count.
@group(0) @binding(3) var<storage, read> history: array<i32>;
// Least number of tokens before the end, position at which the end is forced (-1: never), size of the n-grams that may not come
// again (0: all may), the token that is forced at position 0 (-1: none); then banned tokens, -1 where there are fewer.
@group(0) @binding(4) var<storage, read> rules: array<i32>;
@group(0) @binding(5) var<storage, read_write> tokens: array<i32>;
@group(0) @binding(6) var<storage, read_write> log_probs: array<f32>;

override RULES: bool = false;
const THREADS: u32 = 256u;
const ROWS: u32 = 1u;
const TEAM = THREADS / ROWS;
// Added to forbidden logits. What is below DEAD is forbidden.
const MASKED: f32 = -1e30;
const DEAD: f32 = -1e29;

fn cell_at(i: u32) -> Cell {
  return logits[i];
}

fn forbid(row: u32, token: u32, thread: u32) {
  let c = token / CELL;
  if (token < params.cols && c % TEAM == thread % TEAM) {
    logits[row * (params.cols / CELL) + c] += cell_at_number(MASKED, c, token);
  }
}

// Whether the last n - 1 tokens of a row stood before at i, so that the token after them would repeat an n-gram.
fn repeats(row: u32, i: u32, n: u32) -> bool {
  let start = row * params.positions;
  for (var j = 0u; j + 1u < n; j++) {
    if (history[start + i + j] != history[start + step.position + 2u - n + j]) {
      return false;
    }
  }
  return true;
}

// Forbids what the rules say in an existing row; returns whether a token is forced.
fn apply_rules(row: u32, thread: u32) -> bool {
  let ends = step.position == u32(rules[1]);
  if (ends || (step.position == 0u && rules[3] >= 0)) {
    let token = select(u32(rules[3]), params.end, ends);
    let cells = params.cols / CELL;
    for (var c = thread % TEAM; c < cells; c += TEAM) {
      logits[row * cells + c] = Cell(MASKED) + cell_at_number(-MASKED, c, token);
    }
    return true;
  }
  if (step.position < u32(rules[0])) {
    forbid(row, params.end, thread);
  }
  for (var i = 0u; i < params.banned; i++) {
    forbid(row, u32(rules[4u + i]), thread);
  }
  let n = u32(rules[2]);
  if (n > 0u) {
    for (var i = 0u; i + n <= step.position + 1u; i++) {
      if (repeats(row, i, n)) {
        forbid(row, u32(history[row * params.positions + i + n - 1u]), thread);
      }
    }
  }
  return false;
}

// The scan of a row after the rules, and what makes logits log-probabilities: the largest logit before them, and the logarithm of the
// sum of exponentials from there. Apart, so that what is nearly certain is not lost in the rounding of large logits.
struct Ruled {
  scan: RowScan,
  top: f32,
  log_sum: f32,
}

fn log_prob_of(logit: f32, ruled: Ruled) -> f32 {
  return (logit - ruled.top) - ruled.log_sum;
}

// All threads of the workgroup must call it. What is forced costs nothing.
fn scan_ruled(row: u32, thread: u32) -> Ruled {
  let scan = scan_row(row, params.rows, params.cols, thread);
  let free = Ruled(scan, scan.largest, log(scan.exponentials));
  if (!RULES) {
    return free;
  }
  var forced = false;
  if (row < params.rows) {
    forced = apply_rules(row, thread);
  }
  if (TEAM > 1u) {
    workgroupBarrier();
  }
  let again = scan_row(row, params.rows, params.cols, thread);
  return Ruled(again, select(free.top, 0.0, forced), select(free.log_sum, 0.0, forced));
}

// Where nothing is allowed, the end comes and costs nothing.
fn write_token(row: u32, token: u32, log_prob: f32, allowed: bool) {
  tokens[row] = i32(select(params.end, token, allowed));
  log_probs[row] = select(0.0, log_prob, allowed);
}

@compute @workgroup_size(THREADS)
fn greedy_token(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let ruled = scan_ruled(row, thread);
  if (row < params.rows && thread % TEAM == 0u) {
    let largest = ruled.scan.largest;
    write_token(row, ruled.scan.index, log_prob_of(largest, ruled), largest > DEAD);
  }
}
