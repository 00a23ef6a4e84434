// Top-k: the `wanted` most probable tokens of each row except its end, by descending log-probability (of
// equal ones the lower id first), and the log-probability of the end. Reads the row once; after each token
// its thread scans its part of the row again. So it needs no memory that grows with k.
// part of decoding/next-token.wgsl

@group(0) @binding(7) var<storage, read_write> ends: array<f32>;

var<workgroup> row_group_bests: array<Best, THREADS>;

// The maximum over the row group, of equal ones the lowest index. All threads of the workgroup must call it.
fn row_group_best(own: Best, thread: u32) -> Best {
  if (ROW_GROUP_SIZE == 1u) { return own; }
  row_group_bests[thread] = own;
  workgroupBarrier();
  for (var stride = ROW_GROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP_SIZE < stride) {
      let other = row_group_bests[thread + stride];
      let mine = row_group_bests[thread];
      if (other.value > mine.value || (other.value == mine.value && other.index < mine.index)) {
        row_group_bests[thread] = other;
      }
    }
    workgroupBarrier();
  }
  let best = row_group_bests[thread - thread % ROW_GROUP_SIZE];
  workgroupBarrier();
  return best;
}

// The thread's largest logit after `last` and the first vector that has it; LOWEST and the vector of the end
// token if there is none.
fn best_after(row: u32, last: Best, thread: u32) -> Best {
  var best = Best(LOWEST, params.end / VEC);
  let vecs = params.cols / VEC;
  for (var c = thread % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
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
