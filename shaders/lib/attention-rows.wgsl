// Forward without barriers: a thread keeps ROWS queries and their outputs in registers and goes through the keys four at a time
// with an online softmax. Neighbouring threads have neighbouring queries of the same batch row and head, so that every
// load of a key is the same for all of them.

override THREADS: u32 = 8;
const ROWS: u32 = 2u;

fn keys_seen(b: u32) -> u32 {
  if (FROM_STEP) { return min(step.position + 1u, params.keys); }
  return min(lens[b], params.keys);
}

@compute @workgroup_size(THREADS)
fn forward_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * THREADS * ROWS;
  let length = keys_seen(b);
  let end = select(length, min(length, first + THREADS * ROWS), CAUSAL);
  let key = dropout_key(step.seed, step.step, params.site);
  var q: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var o: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var top: array<f32, ROWS>;
  var total: array<f32, ROWS>;
  var seen: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    let i = min(first + r * THREADS + thread, params.queries - 1u);
    let at = q_at(b, i, h);
    for (var c = 0u; c < CHUNKS; c++) { q[r][c] = load_q(at, c) * (params.scale * LOG2_E); }
    top[r] = MASKED;
    seen[r] = select(length, min(length, i + 1u), CAUSAL);
  }
  for (var j = 0u; j < end; j += 4u) {
    // Past the end the last key stands in, with probability 0: what lies there may be anything.
    let last = end - 1u;
    let rows = vec4(j, min(j + 1u, last), min(j + 2u, last), min(j + 3u, last));
    let k0 = k_at(b, rows.x, h);
    let k1 = k_at(b, rows.y, h);
    let k2 = k_at(b, rows.z, h);
    let k3 = k_at(b, rows.w, h);
    var s = array<vec4<f32>, ROWS>();
    for (var c = 0u; c < CHUNKS; c++) {
      let k = mat4x4(load_kv(k0, c), load_kv(k1, c), load_kv(k2, c), load_kv(k3, c));
      for (var r = 0u; r < ROWS; r++) { s[r] += q[r][c] * k; }
    }
    var shrink = array<f32, ROWS>();
    for (var r = 0u; r < ROWS; r++) {
      let visible = seen4(j, seen[r]);
      let masked = select(vec4(MASKED), s[r], visible);
      let m = max(top[r], max4(masked));
      shrink[r] = exp2(top[r] - m);
      top[r] = m;
      s[r] = select(vec4(0.0), exp2(masked - m), visible);
      total[r] = total[r] * shrink[r] + sum4(s[r]);
      if (DROPOUT) {
        let i = first + r * THREADS + thread;
        s[r] *= factors(key, row_at(b, i, h) * params.keys + j, 1u);
      }
    }
    let v0 = v_at(b, rows.x, h);
    let v1 = v_at(b, rows.y, h);
    let v2 = v_at(b, rows.z, h);
    let v3 = v_at(b, rows.w, h);
    for (var c = 0u; c < CHUNKS; c++) {
      let v = mat4x4(load_kv(v0, c), load_kv(v1, c), load_kv(v2, c), load_kv(v3, c));
      for (var r = 0u; r < ROWS; r++) { o[r][c] = o[r][c] * shrink[r] + v * s[r]; }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let i = first + r * THREADS + thread;
    if (i < params.queries) {
      let at = out_at(b, i, h);
      let any = end > 0u;
      let scale = select(0.0, 1.0 / total[r], any);
      for (var c = 0u; c < CHUNKS; c++) { store_out(at, c, o[r][c] * scale); }
      lse[row_at(b, i, h)] = select(0.0, (top[r] + log2(total[r])) * LN_2, any);
    }
  }
}
