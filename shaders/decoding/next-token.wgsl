// The next token of each row from its logits z [R, V], under rules that forbid some tokens. Log-probabilities
// are those of the distribution before the rules. One row group per row; a thread reads and writes only every
// ROW_GROUP_SIZE-th vector of its row, so its writes need no barrier. Overwrites the logits. Entry points:
//   greedy_token  argmax
//   best_tokens   top-k for beam search: best-tokens.wgsl
//   sample_token  a random token: sample-token.wgsl
// include shared/kernel.wgsl
// include shared/row-scan.wgsl
// include decoding/best-tokens.wgsl
// include decoding/token-rules.wgsl
// include decoding/sample-token.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  cols: u32, // numbers in a row of logits, of which the first `vocab` are those of tokens
  vocab: u32,
  positions: u32, // width of history
  end: u32,
  banned: u32, // numbers in `rules` about banned tokens
  wanted: u32, // k of best_tokens
  forced: u32, // positions of a row at which `rules` may force a token
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read_write> logits: array<Vec>;
// The tokens so far, [R, positions], up to step.position.
@group(0) @binding(3) var<storage, read> history: array<i32>;
// Minimum number of tokens before the end, position at which the end is forced (-1: never), size of the
// n-grams that may not repeat (0: all may), the token that is forced at position 0 (-1: none), how many of the
// banned tokens are so only for the first one that is not forced; then banned
// tokens, -1 if there are fewer, and -n is followed by a sequence of n tokens whose last one is banned after
// the others; then the forced token of each row at each position, [R, forced], -1: none.
@group(0) @binding(4) var<storage, read> rules: array<i32>;
@group(0) @binding(5) var<storage, read_write> tokens: array<i32>;
@group(0) @binding(6) var<storage, read_write> log_probs: array<f32>;

override RULES: bool = false;
override ARE_LOG_PROBS: bool = false; // whether the logits are log-probabilities already

fn vec_at(i: u32) -> Vec {
  return logits[i];
}

fn logit_of(row: u32, token: u32) -> f32 {
  return vec_element(logits[row * (params.cols / VEC) + token / VEC], token % VEC);
}

// Whether vector c of a row is the thread's.
fn owns(thread: u32, c: u32) -> bool {
  return c % ROW_GROUP_SIZE == thread % ROW_GROUP_SIZE;
}

// Hides the numbers past the vocabulary, which are in the last vector of a row.
fn hide_padding(row: u32, thread: u32) {
  let c = params.vocab / VEC;
  if (params.vocab == params.cols || !owns(thread, c)) { return; }
  let i = row * (params.cols / VEC) + c;
  logits[i] = vec_masked(logits[i], c, params.vocab, LOWEST);
}

// A value, and the index of its vector or token.
struct Best {
  value: f32,
  index: u32,
}

// The scan of a row after the rules, and the normalizer before them: the maximum logit and the logarithm of
// the sum of exponentials of the differences from it. The two are separate numbers, so that small
// log-probabilities are not lost in the rounding of large logits.
struct ScanAfterRules {
  best: Best, // the largest logit and the first vector that has it
  own: Best, // the same of the thread's vectors
  top: f32,
  log_sum: f32,
  end: f32, // logit of the end after the rules, if it is the thread's
}

fn log_prob_of(logit: f32, ruled: ScanAfterRules) -> f32 {
  if (ARE_LOG_PROBS) { return logit; }
  return (logit - ruled.top) - ruled.log_sum;
}

// Applies the rules to a row and scans it. Without `with_end` the end does not take part, but counts in the
// normalizer. All threads of the workgroup must call it.
fn scan_ruled(row: u32, with_end: bool, thread: u32) -> ScanAfterRules {
  let exists = row < params.rows;
  let vecs = params.cols / VEC;
  var removed = ForbiddenTokens(LOWEST, 0.0);
  var end = MASKED;
  if (RULES && exists) { removed = apply_rules(row, thread); }
  if (exists) { hide_padding(row, thread); }
  let end_vec = params.end / VEC;
  if (!with_end && exists && owns(thread, end_vec)) {
    end = logit_of(row, params.end);
    removed = forbid(row, params.end, thread, removed);
    logits[row * vecs + end_vec] += vec_one_hot(LOWEST, end_vec, params.end);
  }
  return merge_ruled_scans(scan_share(row * vecs, thread % ROW_GROUP_SIZE, select(0u, vecs, exists)), removed, end, thread);
}

// The scan of a row after the rules from those of the parts of its threads, what they have removed, and the
// logit of the end. All threads of the workgroup must call it.
fn merge_ruled_scans(part: RowScan, removed: ForbiddenTokens, end: f32, thread: u32) -> ScanAfterRules {
  var share = part;
  let own = Best(share.largest, share.first);
  // The exponentials are relative to a separate maximum, which includes removed tokens.
  share.top = max(share.largest, removed.largest);
  share.exponentials = share.exponentials * exp(share.largest - share.top)
    + removed.exponentials * exp(removed.largest - share.top);
  let scan = merged_shares(share, thread);
  return ScanAfterRules(Best(scan.largest, scan.first), own, scan.top, log(scan.exponentials), end);
}

// The first token after `last` of a vector of a row that has the value of `best`; the end if there is none.
fn token_of(row: u32, best: Best, last: Best) -> u32 {
  let z = logits[row * (params.cols / VEC) + best.index];
  for (var k = 0u; k < VEC; k++) {
    let i = best.index * VEC + k;
    if (vec_element(z, k) == best.value && comes_after(best.value, i, last)) { return i; }
  }
  return params.end;
}

// Whether a token comes after `last` by descending logit, equal ones by ascending id.
fn comes_after(value: f32, token: u32, last: Best) -> bool {
  return value < last.value || (value == last.value && token > last.index);
}

const NO_TOKEN = Best(-LOWEST, 0u); // comes before all tokens

// Writes the end, with log-probability 0, if no token is allowed.
fn write_token(row: u32, token: u32, log_prob: f32, allowed: bool) {
  tokens[row] = i32(select(params.end, token, allowed));
  log_probs[row] = select(0.0, log_prob, allowed);
}

@compute @workgroup_size(THREADS)
fn greedy_token(thread: Thread) {
  let row = row_of(thread);
  let ruled = scan_ruled(row, true, thread.index);
  if (row < params.rows && thread.index % ROW_GROUP_SIZE == 0u) {
    let best = ruled.best;
    write_token(row, token_of(row, best, NO_TOKEN), log_prob_of(best.value, ruled), best.value > MASKED_BOUND);
  }
}
