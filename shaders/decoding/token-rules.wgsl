// The rules that forbid or force tokens of a row.
// part of decoding/next-token.wgsl

// Tokens that a thread has forbidden: their largest logit, and the sum of exp(z - largest). The normalizer of
// log-probabilities includes them.
struct ForbiddenTokens {
  largest: f32,
  exponentials: f32,
}

// Forbids a token: adds MASKED to its logit. A logit below MASKED_BOUND is forbidden.
fn forbid(row: u32, token: u32, thread: u32, removed: ForbiddenTokens) -> ForbiddenTokens {
  let c = token / VEC;
  if (token >= params.cols || !owns(thread, c)) { return removed; }
  let z = logit_of(row, token);
  if (z < MASKED_BOUND) { return removed; }
  logits[row * (params.cols / VEC) + c] += vec_one_hot(MASKED, c, token);
  let largest = max(z, removed.largest);
  return ForbiddenTokens(largest, removed.exponentials * exp(removed.largest - largest) + exp(z - largest));
}

// Whether the last n - 1 tokens of a row are also at position i, so that the token after i would repeat an
// n-gram.
fn repeats(row: u32, i: u32, n: u32) -> bool {
  let start = row * params.positions;
  for (var j = 0u; j + 1u < n; j++) {
    if (history[start + i + j] != history[start + step.position + 2u - n + j]) { return false; }
  }
  return true;
}

// Whether the last tokens of a row are the n numbers of `rules` from `first` on.
fn ends_with(row: u32, first: u32, n: u32) -> bool {
  if (n > step.position + 1u) { return false; }
  let start = row * params.positions + step.position + 1u - n;
  for (var j = 0u; j < n; j++) {
    if (history[start + j] != rules[first + j]) { return false; }
  }
  return true;
}

const HEADER: u32 = 5u; // numbers in `rules` before the banned tokens

// The token that begins a row at a position, -1: none.
fn prefix_token(row: u32, position: u32) -> i32 {
  if (position < params.forced) {
    let token = rules[HEADER + params.banned + row * params.forced + position];
    if (token >= 0) { return token; }
  }
  return select(-1, rules[3], position == 0u);
}

// The token that is forced in a row, -1: none.
fn forced_token(row: u32) -> i32 {
  if (step.position == u32(rules[1])) { return i32(params.end); }
  return prefix_token(row, step.position);
}

// Applies the rules to the thread's vectors of a row. A forced token gets probability 1.
fn apply_rules(row: u32, thread: u32) -> ForbiddenTokens {
  var removed = ForbiddenTokens(LOWEST, 0.0);
  let token = forced_token(row);
  if (token >= 0) {
    let vecs = params.cols / VEC;
    for (var c = thread % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
      logits[row * vecs + c] = Vec(MASKED) + vec_one_hot(-MASKED, c, u32(token));
    }
    return removed;
  }
  if (step.position < u32(rules[0])) { removed = forbid(row, params.end, thread, removed); }
  // The first banned tokens are those that may not be the first one after the forced ones.
  let is_first = step.position == 0u || prefix_token(row, step.position - 1u) >= 0;
  for (var i = HEADER; i < HEADER + params.banned; i++) {
    let id = rules[i];
    if (id >= -1) {
      if (is_first || i32(i - HEADER) >= rules[4]) { removed = forbid(row, u32(id), thread, removed); }
      continue;
    }
    let length = u32(-id);
    if (ends_with(row, i + 1u, length - 1u)) { removed = forbid(row, u32(rules[i + length]), thread, removed); }
    i += length;
  }
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
