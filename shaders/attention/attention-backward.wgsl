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
  let rows = rows_from(first + down * OWN);
  var lse2: Numbers;
  var row_dot: Numbers;
  for (var r = 0u; r < OWN; r++) {
    let i = min(rows[r], params.queries - 1u);
    let at = out_at(b, i, h);
    lse2[r] = lse_in[row_at(b, i, h)] * LOG2_E;
    for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
      let c = across + m * ACROSS;
      if (c < CHUNKS) { row_dot[r] += dot(load_dout(at, c), load_out(at, c)); }
    }
  }
  row_dot = across_sum(row_dot, thread);
  // Both wait in the padding of `weights`, where they need no registers.
  let kept = down * WEIGHTS_PITCH + DOWN;
  if (across == 0u) {
    weights[kept] = row_dot;
    weights[kept + DOWN * WEIGHTS_PITCH] = lse2;
  }
  var sum: Numbers;
  var peak: Numbers;
  var grad: Output;
  let tiles = (end + 31u) / 32u;
  for (var tile = 0u; tile < MAX_TILES; tile++) {
    if (tile == tiles) { break; }
    let j = tile * 32u;
    let own_queries = own_places_queries(b, h, 0u, first, params.queries, thread);
    let keys = other_place_kv(b, h, params.k_column, j, end, thread);
    var s = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_queries(own_queries, slice, thread);
      stage_other_kv(keys, slice, thread);
      add_products(&s, thread);
    }
    keep_scores(s, thread);
    let own_douts = own_places_douts(b, h, 0u, first, params.queries, thread);
    let values = other_place_kv(b, h, params.v_column, j, end, thread);
    var dp = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_douts(own_douts, slice, thread);
      stage_other_kv(values, slice, thread);
      add_products(&dp, thread);
    }
    let tile_dot = weights[kept];
    let tile_lse2 = weights[kept + DOWN * WEIGHTS_PITCH];
    for (var n = 0u; n < SCORES; n++) {
      let column = across + n * ACROSS;
      let at = weight_at(n, thread);
      if (DROPOUT) { dp[n] *= row_factors(key, row_at(b, rows.x, h) * params.keys + j + column, params.keys); }
      let p = exp2(row_biased(weights[at] * (params.scale * LOG2_E), h, rows, Indices(j + column)) - tile_lse2);
      let sees = Indices(j + column) < select(Indices(length), min(Indices(length), rows + 1u), params.causal != 0u);
      let ds = select(Numbers(0.0), p * (dp[n] - tile_dot), sees);
      sum += ds;
      peak = select(peak, Numbers(f32(j + column + 1u)), sees & (p > Numbers(0.5)));
      weights[at] = ds;
    }
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_kv(b, h, params.k_column, j + part * SHARE, end, thread);
      add_rows(&grad, part, thread);
    }
  }
  row_dot = weights[kept];
  sum = across_sum(sum, thread);
  peak = across_max(peak, thread);
  for (var r = 0u; r < OWN; r++) {
    if (rows[r] < params.queries) {
      for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
        let c = across + m * ACROSS;
        if (c < CHUNKS) {
          let dq_chunk = grad[m][r] - excess(b, h, sum[r], u32(peak[r]), c);
          store_EACH(q_at(b, rows[r], h), c, dq_chunk * params.scale);
        }
      }
      if (across == 0u) { keep_EACH(row_at(b, rows[r], h), row_dot[r] + sum[r]); }
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
  let rows = rows_from(first + down * OWN);
  let first_query = select(Indices(0u), rows, params.causal != 0u);
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
    let own_keys = own_places_kv(b, h, params.k_column, first, length, thread);
    let queries = other_place_queries(b, h, 0u, i, params.queries, thread);
    var s = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_kv(own_keys, slice, thread);
      stage_other_queries(queries, slice, thread);
      add_products(&s, thread);
    }
    keep_scores(s, thread);
    let own_values = own_places_kv(b, h, params.v_column, first, length, thread);
    let douts = other_place_douts(b, h, 0u, i, params.queries, thread);
    var dp = Scores();
    for (var slice = 0u; slice < MAX_TILES; slice++) {
      if (slice == params.slices) { break; }
      stage_own_kv(own_values, slice, thread);
      stage_other_douts(douts, slice, thread);
      add_products(&dp, thread);
    }
    // First the weights of dv; those of dk wait in dp.
    for (var n = 0u; n < SCORES; n++) {
      let query = i + across + n * ACROSS;
      let at = row_at(b, clamp_row(query, params.queries), h);
      let weight = weight_at(n, thread);
      let sees = (rows < Indices(length)) & (first_query <= Indices(query)) & (Indices(query) < Indices(params.queries));
      let s2 = row_biased(weights[weight] * (params.scale * LOG2_E), h, Indices(query), rows);
      let p = exp2(s2 - LOG2_E * lse_in[at]);
      var kept = Numbers(1.0);
      if (DROPOUT) { kept = row_factors(key, row_at(b, query, h) * params.keys + rows.x, 1u); }
      weights[weight] = select(Numbers(0.0), p * kept, sees);
      dp[n] = select(Numbers(0.0), p * (dp[n] * kept - row_dot_EACH(dots, n, at)), sees);
    }
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_douts(b, h, 0u, i + part * SHARE, params.queries, thread);
      add_rows(&dv, part, thread);
    }
    keep_scores(dp, thread);
    for (var part = 0u; part < 32u / SHARE; part++) {
      stage_queries(b, h, 0u, i + part * SHARE, params.queries, thread);
      add_rows(&dk, part, thread);
    }
    add_diagonals(b, h, group.x, i32(first) - i32(i), thread);
  }
  end_diagonals(b, h, group.x, thread);
  for (var r = 0u; r < OWN; r++) {
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
