// The next token of each row from its logits z [R, V], under rules that forbid some tokens. Log-probabilities are those
// of the distribution before the rules. One row group per row; a thread reads and writes only every ROW_GROUP-th vector
// of its row, so its writes need no barrier. Overwrites the logits. Entry points:
//   greedy_token  argmax; reads the row once
//   best_tokens   top-k for beam search: the `wanted` most probable tokens of each row except its end, by falling
//                 log-probability (of equal ones the lower id first), and the log-probability of the end. Reads the row
//                 once, and for each token once more the part of the thread that had it. It needs no memory for any k
//   sample_token  a random token
// include shared/thread.wgsl
// include shared/step-scalars.wgsl
// include shared/row-scan.wgsl
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
@group(0) @binding(7) var<storage, read_write> ends: array<f32>;
// Temperature, top_p, top_k (0: all), unused.
@group(0) @binding(8) var<storage, read> sampling: array<f32>;
@group(0) @binding(9) var<storage, read> streams: array<u32>;

override RULES: bool = false;

fn vec_at(i: u32) -> Vec {
  return logits[i];
}

fn row_of(thread: Thread) -> u32 {
  return group_index(thread) * ROWS + thread.index / ROW_GROUP;
}

fn logit_of(row: u32, token: u32) -> f32 {
  return vec_element(logits[row * (params.cols / VEC) + token / VEC], token % VEC);
}

// Whether vector c of a row is the thread's.
fn owns(thread: u32, c: u32) -> bool {
  return c % ROW_GROUP == thread % ROW_GROUP;
}

// Tokens that a thread has forbidden: their largest logit, and the sum of exp(z - largest). The normalizer of
// log-probabilities includes them.
struct Removed {
  largest: f32,
  exponentials: f32,
}

// Forbids a token: adds MASKED to its logit. A logit below DEAD is forbidden.
fn forbid(row: u32, token: u32, thread: u32, removed: Removed) -> Removed {
  let c = token / VEC;
  if (token >= params.cols || !owns(thread, c)) { return removed; }
  let z = logit_of(row, token);
  if (z < DEAD) { return removed; }
  logits[row * (params.cols / VEC) + c] += vec_one_hot(MASKED, c, token);
  let largest = max(z, removed.largest);
  return Removed(largest, removed.exponentials * exp(removed.largest - largest) + exp(z - largest));
}

// Whether the last n - 1 tokens of a row are also at position i, so that the token after i would repeat an n-gram.
fn repeats(row: u32, i: u32, n: u32) -> bool {
  let start = row * params.positions;
  for (var j = 0u; j + 1u < n; j++) {
    if (history[start + i + j] != history[start + step.position + 2u - n + j]) { return false; }
  }
  return true;
}

// Applies the rules to the thread's vectors of a row. A forced token gets probability 1.
fn apply_rules(row: u32, thread: u32) -> Removed {
  var removed = Removed(LOWEST, 0.0);
  let ends = step.position == u32(rules[1]);
  if (ends || (step.position == 0u && rules[3] >= 0)) {
    let token = select(u32(rules[3]), params.end, ends);
    let vecs = params.cols / VEC;
    for (var c = thread % ROW_GROUP; c < vecs; c += ROW_GROUP) {
      logits[row * vecs + c] = Vec(MASKED) + vec_one_hot(-MASKED, c, token);
    }
    return removed;
  }
  if (step.position < u32(rules[0])) { removed = forbid(row, params.end, thread, removed); }
  for (var i = 0u; i < params.banned; i++) { removed = forbid(row, u32(rules[4u + i]), thread, removed); }
  let n = u32(rules[2]);
  if (n > 0u) {
    for (var i = 0u; i + n <= step.position + 1u; i++) {
      if (repeats(row, i, n)) {
        removed = forbid(row, u32(history[row * params.positions + i + n - 1u]), thread, removed);
      }
    }
  }
  return removed;
}

// A number and the index of what has it.
struct Best {
  value: f32,
  index: u32,
}

// The scan of a row after the rules, and the normalizer before them: the maximum logit and the logarithm of the sum of
// exponentials of the differences from it. The two are separate numbers, so that small log-probabilities are not lost
// in the rounding of large logits.
struct Ruled {
  best: Best, // the largest logit and the first vector that has it
  own: Best, // the same of the thread's vectors
  top: f32,
  log_sum: f32,
  end: f32, // logit of the end after the rules, if it is the thread's
}

fn log_prob_of(logit: f32, ruled: Ruled) -> f32 {
  return (logit - ruled.top) - ruled.log_sum;
}

// Applies the rules to a row and scans it. Without `with_end` the end does not take part, but counts in the normalizer.
// All threads of the workgroup must call it.
fn scan_ruled(row: u32, with_end: bool, thread: u32) -> Ruled {
  let exists = row < params.rows;
  let vecs = params.cols / VEC;
  var removed = Removed(LOWEST, 0.0);
  var end = MASKED;
  if (RULES && exists) { removed = apply_rules(row, thread); }
  let end_vec = params.end / VEC;
  if (!with_end && exists && owns(thread, end_vec)) {
    end = logit_of(row, params.end);
    removed = forbid(row, params.end, thread, removed);
    logits[row * vecs + end_vec] += vec_one_hot(LOWEST, end_vec, params.end);
  }
  var share = scan_share(row * vecs, thread % ROW_GROUP, select(0u, vecs, exists));
  let own = Best(share.largest, share.first);
  // The exponentials go with a maximum of their own, which removed tokens may raise.
  share.top = max(share.largest, removed.largest);
  share.exponentials = share.exponentials * exp(share.largest - share.top)
    + removed.exponentials * exp(removed.largest - share.top);
  let scan = merged_shares(share, thread);
  return Ruled(Best(scan.largest, scan.first), own, scan.top, log(scan.exponentials), end);
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

// Whether a token comes after `last` by falling logit, equal ones by rising id.
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
  if (row < params.rows && thread.index % ROW_GROUP == 0u) {
    let best = ruled.best;
    write_token(row, token_of(row, best, NO_TOKEN), log_prob_of(best.value, ruled), best.value > DEAD);
  }
}

var<workgroup> row_group_bests: array<Best, THREADS>;

// The maximum over the row group, of equal ones the lowest index, returned to each of its threads. All threads of the
// workgroup must call it.
fn row_group_best(own: Best, thread: u32) -> Best {
  if (ROW_GROUP == 1u) { return own; }
  row_group_bests[thread] = own;
  workgroupBarrier();
  for (var stride = ROW_GROUP / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP < stride) {
      let other = row_group_bests[thread + stride];
      let mine = row_group_bests[thread];
      if (other.value > mine.value || (other.value == mine.value && other.index < mine.index)) {
        row_group_bests[thread] = other;
      }
    }
    workgroupBarrier();
  }
  let best = row_group_bests[thread - thread % ROW_GROUP];
  workgroupBarrier();
  return best;
}

// The thread's largest logit after `last` and the first vector that has it; LOWEST and that of the end if there is none.
fn best_after(row: u32, last: Best, thread: u32) -> Best {
  var best = Best(LOWEST, params.end / VEC);
  let vecs = params.cols / VEC;
  for (var c = thread % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    let z = logits[row * vecs + c];
    if (vec_max(z) > best.value) {
      for (var k = 0u; k < VEC; k++) {
        let v = vec_element(z, k);
        if (v > best.value && comes_after(v, VEC * c + k, last)) { best = Best(v, c); }
      }
    }
  }
  return best;
}

@compute @workgroup_size(THREADS)
fn best_tokens(thread: Thread) {
  let row = row_of(thread);
  let ruled = scan_ruled(row, false, thread.index);
  let exists = row < params.rows;
  if (exists && owns(thread.index, params.end / VEC)) { ends[row] = max(MASKED, log_prob_of(ruled.end, ruled)); }
  // In each turn the thread that has the best token writes it and looks for its next one.
  var own = ruled.own;
  var last = NO_TOKEN;
  for (var k = 0u; k < params.wanted; k++) {
    let best = row_group_best(own, thread.index);
    if (exists && owns(thread.index, best.index)) {
      last = Best(best.value, token_of(row, best, last));
      tokens[row * params.wanted + k] = i32(last.index);
      log_probs[row * params.wanted + k] = max(MASKED, log_prob_of(best.value, ruled));
      if (k + 1u < params.wanted) { own = best_after(row, last, thread.index); }
    }
  }
}

// Sampling: a random token of softmax(logits / temperature), restricted to the top_k most probable tokens, and of those
// to the fewest whose mass is at least top_p (nucleus sampling; Holtzman et al., 2020, "The curious case of neural text
// degeneration"). Tokens as probable as the last are included, except with a top_k of 1, which is greedy: of equal ones
// the lowest id. The limits are thresholds of probability, found by a search over their bits instead of a sort; the row
// then holds the probabilities. The draw is an exponential race (the Gumbel-max trick): each token takes an
// exponentially distributed time divided by its probability, and the first wins. Its random numbers depend only on
// seed, position, stream and token, so the choice does not depend on the division of work.

var<workgroup> row_group_sums: array<vec3<f32>, THREADS>;

fn row_group_total(own: vec3<f32>, thread: u32) -> vec3<f32> {
  if (ROW_GROUP == 1u) { return own; }
  row_group_sums[thread] = own;
  workgroupBarrier();
  for (var stride = ROW_GROUP / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP < stride) { row_group_sums[thread] += row_group_sums[thread + stride]; }
    workgroupBarrier();
  }
  let total = row_group_sums[thread - thread % ROW_GROUP];
  workgroupBarrier();
  return total;
}

// Mass of the probabilities at or above each of three thresholds, or their number.
fn reached(row: u32, vecs: u32, limits: vec3<f32>, masses: bool, thread: u32) -> vec3<f32> {
  var sums = vec3(0.0);
  for (var c = thread % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    let p = logits[row * vecs + c];
    for (var j = 0u; j < VEC; j++) {
      let x = vec_element(p, j);
      sums += select(vec3(0.0), vec3(select(1.0, x, masses)), vec3(x) >= limits);
    }
  }
  return row_group_total(sums, thread);
}

// The largest threshold at which mass or number reaches `aim`: a search by two bits a pass. Probabilities are at most
// 1, whose bits are below 2^30.
fn threshold(row: u32, vecs: u32, aim: f32, masses: bool, thread: u32) -> f32 {
  var bits = 0u;
  for (var k = 1u; k <= 15u; k++) {
    let shift = 30u - 2u * k;
    let tried = vec3(bits) + (vec3(1u, 2u, 3u) << vec3(shift));
    let enough = reached(row, vecs, bitcast<vec3<f32>>(tried), masses, thread) >= vec3(aim);
    bits += (u32(enough.x) + u32(enough.y) + u32(enough.z)) << shift;
  }
  return bitcast<f32>(bits);
}

// Exponentially distributed with mean 1, from 32 random bits. Accurate for small times too, which decide the race.
fn exponential(bits: u32) -> f32 {
  let u = min((f32(bits) + 0.5) / 4294967296.0, 0.99999994);
  return select(-log(1.0 - u), u + 0.5 * u * u, u < 1e-3);
}

@compute @workgroup_size(THREADS)
fn sample_token(thread: Thread) {
  let row = row_of(thread);
  let ruled = scan_ruled(row, true, thread.index);
  let largest = ruled.best.value;
  let vecs = select(0u, params.cols / VEC, row < params.rows);
  var first = 0u;
  if (sampling[2] == 1.0 && row < params.rows) { first = token_of(row, ruled.best, NO_TOKEN); }
  if (ROW_GROUP > 1u) { workgroupBarrier(); }
  for (var c = thread.index % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    logits[row * vecs + c] = exp((logits[row * vecs + c] - largest) / sampling[0]);
  }
  var limit = 0.0;
  if (sampling[2] > 0.0) {
    limit = threshold(row, vecs, sampling[2], false, thread.index);
  }
  if (sampling[1] < 1.0) {
    let mass = reached(row, vecs, vec3(limit), true, thread.index).x;
    limit = max(limit, threshold(row, vecs, sampling[1] * mass, true, thread.index));
  }
  let key = dropout_key(step.seed, step.position, streams[min(row, params.rows - 1u)]);
  var best = Best(-1.0, params.end);
  for (var c = thread.index % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    let p = logits[row * vecs + c];
    for (var j = 0u; j < VEC; j++) {
      let x = vec_element(p, j);
      let i = VEC * c + j;
      if (x > 0.0 && x >= limit && (sampling[2] != 1.0 || i == first)) {
        let speed = x / exponential(pcg(pcg(i) + key));
        if (speed > best.value) { best = Best(speed, i); }
      }
    }
  }
  best = row_group_best(best, thread.index);
  let c = best.index / VEC;
  if (row < params.rows && owns(thread.index, c)) {
    let p = vec_element(logits[row * vecs + c], best.index % VEC);
    write_token(row, best.index, log_prob_of(log(p) * sampling[0] + largest, ruled), largest > DEAD);
  }
}
