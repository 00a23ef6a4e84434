// The `wanted` most probable tokens of each row but its end, by falling log-probability (the lower id first, where equal), and the
// log-probability of the end. Each is found by a pass of its own over the row, which needs no memory for any number of them and is
// cheap beside the product that made the logits.
// include lib/team-best.wgsl

@group(0) @binding(7) var<storage, read_write> ends: array<f32>;

// The best of a row after `last`, in a thread's cells.
fn best_after(row: u32, last: Best, thread: u32) -> Best {
  var best = Best(LOWEST, params.end);
  let cells = select(0u, params.cols / CELL, row < params.rows);
  for (var c = thread % TEAM; c < cells; c += TEAM) {
    let z = logits[row * cells + c];
    if (cell_max(z) > best.value) {
      for (var j = 0u; j < CELL; j++) {
        let v = cell_number(z, j);
        let i = CELL * c + j;
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
fn best_tokens(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let ruled = scan_ruled(row, thread);
  let cell = params.end / CELL;
  if (row < params.rows && cell % TEAM == thread % TEAM) {
    let logit = cell_number(logits[row * (params.cols / CELL) + cell], params.end % CELL);
    ends[row] = max(MASKED, log_prob_of(logit, ruled));
  }
  var best = Best(-LOWEST, 0u);
  for (var k = 0u; k < params.wanted; k++) {
    best = team_best(best_after(row, best, thread), thread);
    if (row < params.rows && thread % TEAM == 0u) {
      tokens[row * params.wanted + k] = i32(best.index);
      log_probs[row * params.wanted + k] = max(MASKED, log_prob_of(best.value, ruled));
    }
  }
}
