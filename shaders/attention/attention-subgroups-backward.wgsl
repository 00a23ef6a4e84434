// Backward pass of attention in registers with subgroup broadcasts, as two dispatches (formulas:
// attention-backward.wgsl). First a thread per ROWS queries computes dq and the row dots rowsum(dout∘out);
// then a thread per ROWS keys iterates over the queries and computes dk and dv. Probabilities are recomputed
// from lse.
// part of attention/attention-subgroups.wgsl

@compute @workgroup_size(THREADS)
fn backward_queries(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) id: u32,
) {
  lane = id;
  let b = group.z;
  let h = group.y;
  let first = group.x * THREADS * ROWS;
  let length = length_of(b);
  let end = seen_by(first + THREADS * ROWS - 1u, length);
  let last = max(end, 1u) - 1u;
  let key = dropout_key(step.seed, step.step, params.site);
  var q: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var d: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var grad: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var lse2: array<f32, ROWS>;
  var row_dot: array<f32, ROWS>;
  var sum: array<f32, ROWS>;
  var peak: array<vec4<u32>, ROWS>;
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let i = min(first + r * THREADS + thread, params.queries - 1u);
    let at = q_at(b, i, h);
    let o_at = out_at(b, i, h);
    var read: array<vec4<f32>, PADDED_CHUNKS>;
    for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) {
      read[c] = load_query(at, c);
      row_dot[r] += dot(load_dout(o_at, c), load_out(o_at, c));
    }
    // unroll up to 8
    for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) {
      q[r][c] = read[c] * (params.scale * LOG2_E);
      d[r][c] = load_dout(o_at, c);
    }
    lse2[r] = lse_in[row_at(b, i, h)] * LOG2_E;
  }
  let k_start = k_at(b, 0u, h);
  let v_start = v_at(b, 0u, h);
  for (var j = 0u; j < end; j += 4u) {
    var s = array<vec4<f32>, ROWS>();
    var dp = array<vec4<f32>, ROWS>();
    // unroll up to 8
    for (var c = 0u; c < min(PADDED_CHUNKS, chunk_bound()); c += 2u) {
      let k = fetch_kv(k_start, params.kv_stride / VEC, j, last, c);
      let v = fetch_kv(v_start, params.kv_stride / VEC, j, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        s[r] = dots(dots(s[r], q[r][c], k.lo), q[r][c + 1u], k.hi);
        dp[r] = dots(dots(dp[r], d[r][c], v.lo), d[r][c + 1u], v.hi);
      }
    }
    // unroll
    for (var r = 0u; r < ROWS; r++) {
      let i = first + r * THREADS + thread;
      if (DROPOUT) { dp[r] *= factors(key, row_at(b, i, h) * params.keys + j, 1u); }
      let visible = four(j) < vec4(seen_by(i, length));
      let p = exp2(biased(s[r], h, vec4(i), four(j)) - lse2[r]);
      s[r] = select(vec4(0.0), p * (dp[r] - row_dot[r]), visible);
      sum[r] += sum4(s[r]);
      peak[r] = select(peak[r], four(j) + 1u, visible & (p > vec4(0.5)));
    }
    // unroll up to 8
    for (var c = 0u; c < min(PADDED_CHUNKS, chunk_bound()); c += 2u) {
      let k = fetch_kv(k_start, params.kv_stride / VEC, j, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        grad[r][c] = blend(grad[r][c], s[r], k.lo);
        grad[r][c + 1u] = blend(grad[r][c + 1u], s[r], k.hi);
      }
    }
  }
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let i = first + r * THREADS + thread;
    if (i < params.queries) {
      let at = q_at(b, i, h);
      let key = max(max(peak[r].x, peak[r].y), max(peak[r].z, peak[r].w));
      var made: array<vec4<f32>, PADDED_CHUNKS>;
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { made[c] = excess(b, h, sum[r], key, c); }
      // unroll up to 8
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { made[c] = (grad[r][c] - made[c]) * params.scale; }
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { store_dq(at, c, made[c]); }
      row_dots[row_at(b, i, h)] = row_dot[r] + sum[r];
    }
  }
}

@compute @workgroup_size(THREADS)
fn backward_keys(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) id: u32,
) {
  lane = id;
  let b = group.z;
  let h = group.y;
  let first = group.x * THREADS * ROWS;
  let length = length_of(b);
  let key = dropout_key(step.seed, step.step, params.site);
  var k: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var v: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var dk: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var dv: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let j = min(first + r * THREADS + thread, max(length, 1u) - 1u);
    let k_from = k_at(b, j, h);
    let v_from = v_at(b, j, h);
    var read: array<vec4<f32>, PADDED_CHUNKS>;
    for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { read[c] = load_kv(k_from, c); }
    // unroll up to 8
    for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) {
      k[r][c] = read[c] * (params.scale * LOG2_E);
      v[r][c] = load_kv(v_from, c);
    }
  }
  // Keys past the length skip the loop, and their gradients are zero.
  let end = select(0u, params.queries, first < length);
  let last = params.queries - 1u;
  let rows = row_at(b, 0u, h);
  let q_start = q_at(b, 0u, h);
  let d_start = out_at(b, 0u, h);
  let d_stride = params.heads * (WIDTH / VEC);
  for (var i = select(0u, first / 4u * 4u, params.causal != 0u); i < end; i += 4u) {
    let i4 = four(i);
    let at = rows + min(i4, vec4(last));
    let lse2 = LOG2_E * vec4(lse_in[at.x], lse_in[at.y], lse_in[at.z], lse_in[at.w]);
    let row_dot = vec4(row_dots_in[at.x], row_dots_in[at.y], row_dots_in[at.z], row_dots_in[at.w]);
    var s = array<vec4<f32>, ROWS>();
    var dp = array<vec4<f32>, ROWS>();
    // unroll up to 8
    for (var c = 0u; c < min(PADDED_CHUNKS, chunk_bound()); c += 2u) {
      let q = fetch_query(q_start, params.q_stride / VEC, i, last, c);
      let d = fetch_dout(d_start, d_stride, i, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        s[r] = dots(dots(s[r], k[r][c], q.lo), k[r][c + 1u], q.hi);
        dp[r] = dots(dots(dp[r], v[r][c], d.lo), v[r][c + 1u], d.hi);
      }
    }
    // unroll
    for (var r = 0u; r < ROWS; r++) {
      let j = first + r * THREADS + thread;
      let visible = (i4 < vec4(params.queries)) & vec4(j < length) & (i4 >= vec4(select(0u, j, params.causal != 0u)));
      let p = select(vec4(0.0), exp2(biased(s[r], h, i4, vec4(j)) - lse2), visible);
      var kept = vec4(1.0);
      if (DROPOUT) { kept = factors(key, (rows + i) * params.keys + j, params.keys); }
      s[r] = p * (dp[r] * kept - row_dot);
      dp[r] = p * kept;
    }
    // unroll up to 8
    for (var c = 0u; c < min(PADDED_CHUNKS, chunk_bound()); c += 2u) {
      let q = fetch_query(q_start, params.q_stride / VEC, i, last, c);
      let d = fetch_dout(d_start, d_stride, i, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        dk[r][c] = blend(dk[r][c], s[r], q.lo);
        dk[r][c + 1u] = blend(dk[r][c + 1u], s[r], q.hi);
        dv[r][c] = blend(dv[r][c], dp[r], d.lo);
        dv[r][c + 1u] = blend(dv[r][c + 1u], dp[r], d.hi);
      }
    }
  }
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let j = first + r * THREADS + thread;
    if (j < params.keys) {
      let k_to = k_at(b, j, h);
      let v_to = v_at(b, j, h);
      var made: array<array<vec4<f32>, PADDED_CHUNKS>, 2>;
      // unroll up to 8
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) {
        made[0][c] = dk[r][c] * params.scale;
        made[1][c] = dv[r][c];
      }
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) {
        store_dkv(k_to, c, made[0][c]);
        store_dkv(v_to, c, made[1][c]);
      }
    }
  }
}
