// Backward pass of attention by tiles: backward_queries computes ROWS queries per workgroup and iterates over
// the keys; backward_keys ROWS keys, and iterates over the queries. With p the probabilities and dP =
// dout·vᵀ:
//   dS = p∘(dropout(dP) - row_dots),  dq = scale·dS·k,  dk = scale·dSᵀ·q,  dv = dropout(p)ᵀ·dout
// attention-bias-gradient.wgsl sums the diagonals of the dS of backward_keys. backward_self and backward_cross are both
// in one dispatch, workgroups of queries before those of keys, which compute the row dots of each tile again.
// part of attention/attention.wgsl

@compute @workgroup_size(THREADS)
fn backward_queries(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  queries_two(group, thread);
}

@compute @workgroup_size(THREADS)
fn backward_keys(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  keys_two(group, thread);
}

@each(two, self, cross)
fn queries_EACH(group: vec3<u32>, thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * ROWS;
  let length = length_of(b);
  let end = seen_by(first + ROWS - 1u, length);
  let key = dropout_key(step.seed, step.step, params.site);
  let down = min(thread, THREADS - 1u) / ACROSS;
  let across = thread % ACROSS;
  let rows = four(first + down * 4u);
  let seen = select(vec4(length), min(vec4(length), rows + 1u), params.causal != 0u);
  var lse2: vec4<f32>;
  var row_dot: vec4<f32>;
  for (var r = 0u; r < 4u; r++) {
    let i = min(rows[r], params.queries - 1u);
    let at = out_at(b, i, h);
    lse2[r] = lse_in[row_at(b, i, h)] * LOG2_E;
    for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
      let c = across + m * ACROSS;
      if (c < CHUNKS) { row_dot[r] += dot(load_dout(at, c), load_out(at, c)); }
    }
  }
  row_dot = across_sum(row_dot, thread);
  var grad: Output;
  let tiles = (end + 31u) / 32u;
  for (var tile = 0u; tile < MAX_TILES; tile++) {
    if (tile == tiles) { break; }
    let j = tile * 32u;
    var s = Scores();
    var dp = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_queries(b, h, 0u, first, params.queries, slice, thread);
      stage_other_kv(b, h, params.k_column, j, end, slice, thread);
      add_products(&s, thread);
    }
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_douts(b, h, 0u, first, params.queries, slice, thread);
      stage_other_kv(b, h, params.v_column, j, end, slice, thread);
      add_products(&dp, thread);
    }
    for (var n = 0u; n < SCORES; n++) {
      let column = across + n * ACROSS;
      if (DROPOUT) { dp[n] *= factors(key, row_at(b, rows.x, h) * params.keys + j + column, params.keys); }
      let p = exp2(biased(s[n] * (params.scale * LOG2_E), h, rows, vec4(j + column)) - lse2);
      weights[column * WEIGHTS_PITCH + down] = select(vec4(0.0), p * (dp[n] - row_dot), vec4(j + column) < seen);
    }
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_kv(b, h, params.k_column, j + part * SHARE, end, thread);
      add_rows(&grad, part, thread);
    }
  }
  for (var r = 0u; r < 4u; r++) {
    if (rows[r] < params.queries) {
      for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
        let c = across + m * ACROSS;
        if (c < CHUNKS) { store_EACH(q_at(b, rows[r], h), c, grad[m][r] * params.scale); }
      }
      if (across == 0u) { keep_EACH(row_at(b, rows[r], h), row_dot[r]); }
    }
  }
}

@each(two, one)
fn keys_EACH(group: vec3<u32>, thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * ROWS;
  let length = length_of(b);
  let key = dropout_key(step.seed, step.step, params.site);
  let down = min(thread, THREADS - 1u) / ACROSS;
  let across = thread % ACROSS;
  let rows = four(first + down * 4u);
  let first_query = select(vec4(0u), rows, params.causal != 0u);
  var dk: Output;
  var dv: Output;
  begin_diagonals(b, h, group.x, thread);
  // Keys past the length skip the loop, and their gradients are zero. Causal: queries before the first key,
  // too.
  let begin = select(0u, first / 32u, params.causal != 0u);
  let tiles = select(0u, (params.queries + 31u) / 32u - begin, first < length);
  for (var tile = 0u; tile < MAX_TILES; tile++) {
    if (tile == tiles) { break; }
    let i = (begin + tile) * 32u;
    let dots = tile_dots_EACH(b, h, i, thread);
    var s = Scores();
    var dp = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_kv(b, h, params.k_column, first, length, slice, thread);
      stage_other_queries(b, h, 0u, i, params.queries, slice, thread);
      add_products(&s, thread);
    }
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_kv(b, h, params.v_column, first, length, slice, thread);
      stage_other_douts(b, h, 0u, i, params.queries, slice, thread);
      add_products(&dp, thread);
    }
    // First the weights of dv; those of dk wait in s.
    for (var n = 0u; n < SCORES; n++) {
      let column = across + n * ACROSS;
      let query = i + column;
      let at = row_at(b, clamp_row(query, params.queries), h);
      let sees = (rows < vec4(length)) & (first_query <= vec4(query)) & vec4(query < params.queries);
      let p = exp2(biased(s[n] * (params.scale * LOG2_E), h, vec4(query), rows) - LOG2_E * lse_in[at]);
      var kept = vec4(1.0);
      if (DROPOUT) { kept = factors(key, row_at(b, query, h) * params.keys + rows.x, 1u); }
      weights[column * WEIGHTS_PITCH + down] = select(vec4(0.0), p * kept, sees);
      s[n] = select(vec4(0.0), p * (dp[n] * kept - row_dot_EACH(dots, n, at)), sees);
    }
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_douts(b, h, 0u, i + part * SHARE, params.queries, thread);
      add_rows(&dv, part, thread);
    }
    for (var n = 0u; n < SCORES; n++) { weights[(across + n * ACROSS) * WEIGHTS_PITCH + down] = s[n]; }
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_queries(b, h, 0u, i + part * SHARE, params.queries, thread);
      add_rows(&dk, part, thread);
    }
    add_diagonals(b, h, group.x, i32(first) - i32(i), thread);
  }
  end_diagonals(b, h, group.x, thread);
  for (var r = 0u; r < 4u; r++) {
    if (rows[r] < params.keys) {
      for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
        let c = across + m * ACROSS;
        if (c < CHUNKS) {
          store_dkv(k_at(b, rows[r], h), c, dk[m][r] * params.scale);
          store_dkv(v_at(b, rows[r], h), c, dv[m][r]);
        }
      }
    }
  }
}
