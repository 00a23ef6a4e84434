// Attention in registers, forward: a thread keeps ROWS queries and their outputs in registers and iterates over the
// keys four at a time with an online softmax. No barriers, no workgroup memory. The threads of a workgroup have
// neighbouring queries of one sequence and head, and so need the same keys.
// part of attention/attention-subgroups.wgsl

override THREADS: u32 = 8u;
const ROWS: u32 = 1u;

fn forward_rows(group: vec3<u32>, thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * THREADS * ROWS;
  let length = length_of(b);
  let end = seen_by(first + THREADS * ROWS - 1u, length);
  let last = max(end, 1u) - 1u;
  let key = dropout_key(step.seed, step.step, params.site);
  var q: array<array<vec4<f32>, PADDED>, ROWS>;
  var o: array<array<vec4<f32>, PADDED>, ROWS>;
  var top: array<f32, ROWS>;
  var total: array<f32, ROWS>;
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let at = q_at(b, min(first + r * THREADS + thread, params.queries - 1u), h);
    var read: array<vec4<f32>, PADDED>;
    for (var c = 0u; c < min(CHUNKS, params.padded); c++) { read[c] = load_query(at, c); }
    // unroll up to 8
    for (var c = 0u; c < min(CHUNKS, params.padded); c++) { q[r][c] = read[c] * (params.scale * LOG2_E); }
    top[r] = MASKED;
  }
  let k_start = k_at(b, 0u, h);
  let v_start = v_at(b, 0u, h);
  for (var j = 0u; j < end; j += 4u) {
    var s = array<vec4<f32>, ROWS>();
    // unroll up to 8
    for (var c = 0u; c < min(PADDED, params.padded); c += 2u) {
      let k = fetch_kv(k_start, params.kv_stride / VEC, j, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) { s[r] = dots(dots(s[r], q[r][c], k.lo), q[r][c + 1u], k.hi); }
    }
    var shrink = array<f32, ROWS>();
    // unroll
    for (var r = 0u; r < ROWS; r++) {
      let i = first + r * THREADS + thread;
      let visible = four(j) < vec4(seen_by(i, length));
      s[r] = select(vec4(MASKED), biased(s[r], h, vec4(i), four(j)), visible);
      let m = max(top[r], max4(s[r]));
      shrink[r] = exp2(top[r] - m);
      top[r] = m;
      s[r] = select(vec4(0.0), exp2(s[r] - m), visible);
      total[r] = total[r] * shrink[r] + sum4(s[r]);
      if (DROPOUT) { s[r] *= factors(key, row_at(b, i, h) * params.keys + j, 1u); }
    }
    // unroll up to 8
    for (var c = 0u; c < min(PADDED, params.padded); c += 2u) {
      let v = fetch_kv(v_start, params.kv_stride / VEC, j, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        o[r][c] = blend(o[r][c] * shrink[r], s[r], v.lo);
        o[r][c + 1u] = blend(o[r][c + 1u] * shrink[r], s[r], v.hi);
      }
    }
  }
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let i = first + r * THREADS + thread;
    if (i < params.queries) {
      let at = out_at(b, i, h);
      let any = end > 0u;
      let scale = select(0.0, 1.0 / total[r], any);
      var made: array<vec4<f32>, PADDED>;
      // unroll up to 8
      for (var c = 0u; c < min(CHUNKS, params.padded); c++) { made[c] = o[r][c] * scale; }
      for (var c = 0u; c < min(CHUNKS, params.padded); c++) { store_out(at, c, made[c]); }
      lse[row_at(b, i, h)] = select(0.0, (top[r] + log2(total[r])) * LN_2, any);
    }
  }
}
