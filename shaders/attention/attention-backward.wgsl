// Backward pass of attention by tiles: backward_queries computes 32 queries per workgroup and iterates over the keys;
// backward_keys 32 keys, with rows and columns of the tiles exchanged.

// Stages chunks of dout as a_tile (rows past the last query repeat it), and of v as b_tile.
fn stage_douts(b: u32, h: u32, row: u32, c: u32, thread: u32) {
  for (var n = thread; n < 128u; n += THREADS) {
    let d = c + n % 4u;
    a_tile[n / 4u * PITCH + n % 4u] = load_dout(out_at(b, min(row + n / 4u, params.queries - 1u), h), min(d, CHUNKS - 1u)) * inside(d);
  }
}
fn stage_values(b: u32, h: u32, row: u32, last: u32, c: u32, thread: u32) {
  for (var n = thread; n < 128u; n += THREADS) {
    let d = c + n % 4u;
    b_tile[n / 4u * PITCH + n % 4u] = load_kv(v_at(b, min(row + n / 4u, last), h), min(d, CHUNKS - 1u)) * inside(d);
  }
}

// Adds to s dout·v of the queries from `i` on and the keys from `j` on. All threads must call it.
fn slopes(s: ptr<function, Scores>, b: u32, h: u32, i: u32, j: u32, last: u32, thread: u32) {
  for (var c = 0u; c < CHUNKS; c += 4u) {
    stage_douts(b, h, i, c, thread);
    stage_values(b, h, j, last, c, thread);
    add_products(s, thread);
  }
}

@compute @workgroup_size(THREADS)
fn backward_queries(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * 32u;
  let length = length_of(b);
  let end = seen_by(first + 31u, length);
  let last = max(end, 1u) - 1u;
  let key = dropout_key(step.seed, step.step, params.site);
  let down = thread / ACROSS;
  let across = thread % ACROSS;
  let rows = four(first + down * 4u);
  var top = vec4(0.0);
  var mean = vec4(0.0);
  // unroll
  for (var r = 0u; r < 4u; r++) {
    let i = min(rows[r], params.queries - 1u);
    let at = out_at(b, i, h);
    top[r] = lse_in[row_at(b, i, h)] * LOG2_E;
    for (var c = across; c < CHUNKS; c += ACROSS) { mean[r] += dot(load_dout(at, c), load_out(at, c)); }
  }
  mean = across_sum(mean, thread);
  var grad: array<array<vec4<f32>, OWN>, 4>;
  for (var j = 0u; j < end; j += 32u) {
    var s = Scores();
    var dp = Scores();
    scores(&s, b, h, first, j, last, thread);
    slopes(&dp, b, h, first, j, last, thread);
    // unroll
    for (var n = 0u; n < SCORES; n++) {
      let column = across + n * ACROSS;
      var slope = vec4(dp[0][n], dp[1][n], dp[2][n], dp[3][n]);
      if (DROPOUT) { slope *= factors(key, row_at(b, rows.x, h) * params.keys + j + column, params.keys); }
      let scaled = vec4(s[0][n], s[1][n], s[2][n], s[3][n]) * (params.scale * LOG2_E);
      let p = exp2(biased(scaled, h, rows, vec4(j + column)) - top);
      weights[column * 8u + down] = select(vec4(0.0), p * (slope - mean), visible4(rows, j + column, length));
    }
    workgroupBarrier();
    for (var n = 0u; n < min(32u, end - j); n++) {
      let ds = weights[n * 8u + down];
      let k_from = k_at(b, j + n, h);
      // unroll
      for (var m = 0u; m < OWN; m++) {
        let k = load_kv(k_from, min(across + m * ACROSS, CHUNKS - 1u));
        // unroll
        for (var r = 0u; r < 4u; r++) { grad[r][m] += ds[r] * k; }
      }
    }
  }
  // unroll
  for (var r = 0u; r < 4u; r++) {
    if (rows[r] < params.queries) {
      // unroll
      for (var m = 0u; m < OWN; m++) {
        let c = across + m * ACROSS;
        if (c < CHUNKS) { store_dq(q_at(b, rows[r], h), c, grad[r][m] * params.scale); }
      }
      if (across == 0u) { row_dots[row_at(b, rows[r], h)] = mean[r]; }
    }
  }
}

// Whether each of four queries sees key j of `length`.
fn visible4(i: vec4<u32>, j: u32, length: u32) -> vec4<bool> {
  return (i < vec4(params.queries)) & vec4(j < length) & (i >= vec4(select(0u, j, params.causal != 0u)));
}

@compute @workgroup_size(THREADS)
fn backward_keys(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * 32u;
  let length = length_of(b);
  let last = max(length, 1u) - 1u;
  let key = dropout_key(step.seed, step.step, params.site);
  let down = thread / ACROSS;
  let across = thread % ACROSS;
  var dk: array<array<vec4<f32>, OWN>, 4>;
  var dv: array<array<vec4<f32>, OWN>, 4>;
  // Keys past the length skip the loop, and their gradients are zero.
  let end = select(0u, params.queries, first < length);
  for (var i = select(0u, first, params.causal != 0u); i < end; i += 32u) {
    // The rows of the thread are queries in scores and slopes too; its output is of keys 4·down to 4·down + 3.
    var s = Scores();
    var dp = Scores();
    scores(&s, b, h, i, first, last, thread);
    slopes(&dp, b, h, i, first, last, thread);
    let rows = four(i + down * 4u);
    let at = row_at(b, 0u, h) + min(rows, vec4(params.queries - 1u));
    let top = LOG2_E * vec4(lse_in[at.x], lse_in[at.y], lse_in[at.z], lse_in[at.w]);
    let mean = vec4(row_dots_in[at.x], row_dots_in[at.y], row_dots_in[at.z], row_dots_in[at.w]);
    // unroll
    for (var n = 0u; n < SCORES; n++) {
      let column = across + n * ACROSS;
      let visible = visible4(rows, first + column, length);
      let scaled = vec4(s[0][n], s[1][n], s[2][n], s[3][n]) * (params.scale * LOG2_E);
      let p = select(vec4(0.0), exp2(biased(scaled, h, rows, vec4(first + column)) - top), visible);
      var kept = vec4(1.0);
      if (DROPOUT) { kept = factors(key, row_at(b, rows.x, h) * params.keys + first + column, params.keys); }
      // [key, query / 4]: written by queries, read by keys.
      weights[column * 8u + down] = p * kept;
      more_weights[column * 8u + down] = p * (vec4(dp[0][n], dp[1][n], dp[2][n], dp[3][n]) * kept - mean);
    }
    workgroupBarrier();
    for (var n = 0u; n < min(32u, end - i); n++) {
      let q_from = q_at(b, i + n, h);
      let d_from = out_at(b, i + n, h);
      // unroll
      for (var m = 0u; m < OWN; m++) {
        let c = min(across + m * ACROSS, CHUNKS - 1u);
        let q = load_query(q_from, c);
        let d = load_dout(d_from, c);
        // unroll
        for (var r = 0u; r < 4u; r++) {
          dk[r][m] += more_weights[(down * 4u + r) * 8u + n / 4u][n % 4u] * q;
          dv[r][m] += weights[(down * 4u + r) * 8u + n / 4u][n % 4u] * d;
        }
      }
    }
  }
  // unroll
  for (var r = 0u; r < 4u; r++) {
    let j = first + down * 4u + r;
    if (j < params.keys) {
      // unroll
      for (var m = 0u; m < OWN; m++) {
        let c = across + m * ACROSS;
        if (c < CHUNKS) {
          store_dkv(k_at(b, j, h), c, dk[r][m] * params.scale);
          store_dkv(v_at(b, j, h), c, dv[r][m]);
        }
      }
    }
  }
}
