// Top-k: the `wanted` most probable tokens of each row except its end, by falling log-probability (of equal ones the
// lower id first), and the log-probability of the end. One pass over the row per token: it needs no memory for any k,
// and is cheap compared with the product that computed the logits.
// include shared/row-best.wgsl

@group(0) @binding(7) var<storage, read_write> ends: array<f32>;

// The best token after `last` among the vectors of a thread.
fn best_after(row: u32, last: Best, thread: u32) -> Best {
  var best = Best(LOWEST, params.end);
  let vecs = select(0u, params.cols / VEC, row < params.rows);
  for (var c = thread % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    let z = logits[row * vecs + c];
    if (vec_max(z) > best.value) {
      for (var j = 0u; j < VEC; j++) {
        let v = vec_element(z, j);
        let i = VEC * c + j;
        let later = v < last.value || (v == last.value && i > last.index);
        if (later && i != params.end && v > best.value) {
          best = Best(v, i);
        }
      }
    }
  }
  return best;
}

@compute @workgroup_size(THREADS)
fn best_tokens(thread: Thread) {
  let row = group_index(thread) * ROWS + thread.index / ROW_GROUP;
  let ruled = scan_ruled(row, thread.index);
  let c = params.end / VEC;
  if (row < params.rows && c % ROW_GROUP == thread.index % ROW_GROUP) {
    let logit = vec_element(logits[row * (params.cols / VEC) + c], params.end % VEC);
    ends[row] = max(MASKED, log_prob_of(logit, ruled));
  }
  var best = Best(-LOWEST, 0u);
  for (var k = 0u; k < params.wanted; k++) {
    best = row_group_best(best_after(row, best, thread.index), thread.index);
    if (row < params.rows && thread.index % ROW_GROUP == 0u) {
      tokens[row * params.wanted + k] = i32(best.index);
      log_probs[row * params.wanted + k] = max(MASKED, log_prob_of(best.value, ruled));
    }
  }
}
