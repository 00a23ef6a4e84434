// The next token of each row from its logits [R, V], under rules that forbid some tokens. One row group per row; a
// thread reads and writes only every ROW_GROUP-th vector of its row, so its writes need no barrier. Overwrites the
// logits. Entry points:
//   greedy_token  argmax, and its log-probability in the distribution before the rules
//   best_tokens   top-k for beam search: best-tokens.wgsl
//   sample_token  a random token: sample-token.wgsl
// include shared/thread.wgsl
// include shared/step-scalars.wgsl
// include shared/row-scan.wgsl
// include decoding/best-tokens.wgsl
// include decoding/sample-token.wgsl
// include shared/vec4.wgsl | scalar: shared/scalar.wgsl

struct Params {
  rows: u32,
  cols: u32,
  positions: u32, // width of history
  end: u32,
  banned: u32, // number of tokens that `rules` bans
  wanted: u32, // k of best_tokens
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read_write> logits: array<Vec>;
// The tokens so far, [R, positions], up to step.position.
@group(0) @binding(3) var<storage, read> history: array<i32>;
// Minimum number of tokens before the end, position at which the end is forced (-1: never), size of the n-grams that
// may not repeat (0: all may), the token that is forced at position 0 (-1: none); then banned tokens, -1 if there are
// fewer.
@group(0) @binding(4) var<storage, read> rules: array<i32>;
@group(0) @binding(5) var<storage, read_write> tokens: array<i32>;
@group(0) @binding(6) var<storage, read_write> log_probs: array<f32>;

override RULES: bool = false;

fn vec_at(i: u32) -> Vec {
  return logits[i];
}

// Adds MASKED to the logit of a token; a logit below DEAD is forbidden.
fn forbid(row: u32, token: u32, thread: u32) {
  let c = token / VEC;
  if (token < params.cols && c % ROW_GROUP == thread % ROW_GROUP) {
    logits[row * (params.cols / VEC) + c] += vec_one_hot(MASKED, c, token);
  }
}

// Whether the last n - 1 tokens of a row are also at position i, so that the token after i would repeat an n-gram.
fn repeats(row: u32, i: u32, n: u32) -> bool {
  let start = row * params.positions;
  for (var j = 0u; j + 1u < n; j++) {
    if (history[start + i + j] != history[start + step.position + 2u - n + j]) {
      return false;
    }
  }
  return true;
}

// Applies the rules to an existing row; returns whether a token is forced.
fn apply_rules(row: u32, thread: u32) -> bool {
  let ends = step.position == u32(rules[1]);
  if (ends || (step.position == 0u && rules[3] >= 0)) {
    let token = select(u32(rules[3]), params.end, ends);
    let vecs = params.cols / VEC;
    for (var c = thread % ROW_GROUP; c < vecs; c += ROW_GROUP) {
      logits[row * vecs + c] = Vec(MASKED) + vec_one_hot(-MASKED, c, token);
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

// The scan of a row after the rules, and the normalizer before them: the maximum logit and the logarithm of the sum of
// exponentials of the differences from it. The two are separate numbers, so that small log-probabilities are not lost
// in the rounding of large logits.
struct Ruled {
  scan: RowScan,
  top: f32,
  log_sum: f32,
}

fn log_prob_of(logit: f32, ruled: Ruled) -> f32 {
  return (logit - ruled.top) - ruled.log_sum;
}

// Applies the rules and scans a row; a forced token has log-probability 0. All threads of the workgroup must call it.
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
  if (ROW_GROUP > 1u) {
    workgroupBarrier();
  }
  let again = scan_row(row, params.rows, params.cols, thread);
  return Ruled(again, select(free.top, 0.0, forced), select(free.log_sum, 0.0, forced));
}

// Writes the end, with log-probability 0, if no token is allowed.
fn write_token(row: u32, token: u32, log_prob: f32, allowed: bool) {
  tokens[row] = i32(select(params.end, token, allowed));
  log_probs[row] = select(0.0, log_prob, allowed);
}

@compute @workgroup_size(THREADS)
fn greedy_token(thread: Thread) {
  let row = group_index(thread) * ROWS + thread.index / ROW_GROUP;
  let ruled = scan_ruled(row, thread.index);
  if (row < params.rows && thread.index % ROW_GROUP == 0u) {
    let largest = ruled.scan.largest;
    write_token(row, ruled.scan.index, log_prob_of(largest, ruled), largest > DEAD);
  }
}
