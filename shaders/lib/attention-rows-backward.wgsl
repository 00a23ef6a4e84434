// Backward without barriers, as two dispatches: dq_rows, a thread for ROWS queries, which also writes row_dots = rowsum(dout∘out);
// then dkv_rows, a thread for ROWS keys, which goes through the queries. Probabilities come again from lse.

@compute @workgroup_size(THREADS)
fn dq_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * THREADS * ROWS;
  let length = keys_seen(b);
  let end = select(length, min(length, first + THREADS * ROWS), CAUSAL);
  let key = dropout_key(step.seed, step.step, params.site);
  var q: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var d: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var grad: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var top: array<f32, ROWS>;
  var mean: array<f32, ROWS>;
  var seen: array<u32, ROWS>;
  for (var r = 0u; r < ROWS; r++) {
    let i = min(first + r * THREADS + thread, params.queries - 1u);
    let at = q_at(b, i, h);
    let o_at = out_at(b, i, h);
    for (var c = 0u; c < CHUNKS; c++) {
      q[r][c] = load_q(at, c) * (params.scale * LOG2_E);
      d[r][c] = load_dout(o_at, c);
      mean[r] += dot(d[r][c], load_out(o_at, c));
    }
    top[r] = lse_in[row_at(b, i, h)] * LOG2_E;
    seen[r] = select(length, min(length, i + 1u), CAUSAL);
  }
  for (var j = 0u; j < end; j += 4u) {
    let last = end - 1u;
    let rows = vec4(j, min(j + 1u, last), min(j + 2u, last), min(j + 3u, last));
    let k0 = k_at(b, rows.x, h);
    let k1 = k_at(b, rows.y, h);
    let k2 = k_at(b, rows.z, h);
    let k3 = k_at(b, rows.w, h);
    let v0 = v_at(b, rows.x, h);
    let v1 = v_at(b, rows.y, h);
    let v2 = v_at(b, rows.z, h);
    let v3 = v_at(b, rows.w, h);
    var s = array<vec4<f32>, ROWS>();
    var dp = array<vec4<f32>, ROWS>();
    for (var c = 0u; c < CHUNKS; c++) {
      let k = mat4x4(load_kv(k0, c), load_kv(k1, c), load_kv(k2, c), load_kv(k3, c));
      let v = mat4x4(load_kv(v0, c), load_kv(v1, c), load_kv(v2, c), load_kv(v3, c));
      for (var r = 0u; r < ROWS; r++) {
        s[r] += q[r][c] * k;
        dp[r] += d[r][c] * v;
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      if (DROPOUT) {
        let i = first + r * THREADS + thread;
        dp[r] *= factors(key, row_at(b, i, h) * params.keys + j, 1u);
      }
      s[r] = select(vec4(0.0), exp2(s[r] - top[r]) * (dp[r] - mean[r]), seen4(j, seen[r]));
    }
    for (var c = 0u; c < CHUNKS; c++) {
      let k = mat4x4(load_kv(k0, c), load_kv(k1, c), load_kv(k2, c), load_kv(k3, c));
      for (var r = 0u; r < ROWS; r++) { grad[r][c] += k * s[r]; }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let i = first + r * THREADS + thread;
    if (i < params.queries) {
      let at = q_at(b, i, h);
      for (var c = 0u; c < CHUNKS; c++) { store_dq(at, c, grad[r][c] * params.scale); }
      row_dots[row_at(b, i, h)] = mean[r];
    }
  }
}

@compute @workgroup_size(THREADS)
fn dkv_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * THREADS * ROWS;
  let length = keys_seen(b);
  let key = dropout_key(step.seed, step.step, params.site);
  var k: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var v: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var dk: array<array<vec4<f32>, CHUNKS>, ROWS>;
  var dv: array<array<vec4<f32>, CHUNKS>, ROWS>;
  // A block of keys past the length reads nothing, and its gradients stay zero.
  let end = select(0u, params.queries, first < length);
  for (var r = 0u; r < ROWS; r++) {
    let j = min(first + r * THREADS + thread, max(length, 1u) - 1u);
    let k_from = k_at(b, j, h);
    let v_from = v_at(b, j, h);
    for (var c = 0u; c < CHUNKS; c++) {
      k[r][c] = load_kv(k_from, c) * (params.scale * LOG2_E);
      v[r][c] = load_kv(v_from, c);
    }
  }
  for (var i = select(0u, first / 4u * 4u, CAUSAL); i < end; i += 4u) {
    let last = end - 1u;
    let rows = vec4(i, min(i + 1u, last), min(i + 2u, last), min(i + 3u, last));
    let q0 = q_at(b, rows.x, h);
    let q1 = q_at(b, rows.y, h);
    let q2 = q_at(b, rows.z, h);
    let q3 = q_at(b, rows.w, h);
    let d0 = out_at(b, rows.x, h);
    let d1 = out_at(b, rows.y, h);
    let d2 = out_at(b, rows.z, h);
    let d3 = out_at(b, rows.w, h);
    let base = row_at(b, 0u, h);
    let top = LOG2_E * vec4(lse_in[base + rows.x], lse_in[base + rows.y], lse_in[base + rows.z], lse_in[base + rows.w]);
    let mean = vec4(row_dots_in[base + rows.x], row_dots_in[base + rows.y], row_dots_in[base + rows.z], row_dots_in[base + rows.w]);
    var s = array<vec4<f32>, ROWS>();
    var dp = array<vec4<f32>, ROWS>();
    for (var c = 0u; c < CHUNKS; c++) {
      let q = mat4x4(load_q(q0, c), load_q(q1, c), load_q(q2, c), load_q(q3, c));
      let d = mat4x4(load_dout(d0, c), load_dout(d1, c), load_dout(d2, c), load_dout(d3, c));
      for (var r = 0u; r < ROWS; r++) {
        s[r] += k[r][c] * q;
        dp[r] += v[r][c] * d;
      }
    }
    for (var r = 0u; r < ROWS; r++) {
      let j = first + r * THREADS + thread;
      let i4 = vec4(i, i + 1u, i + 2u, i + 3u);
      let visible = (i4 < vec4(params.queries)) & vec4(j < length) & (vec4(!CAUSAL) | (i4 >= vec4(j)));
      let p = select(vec4(0.0), exp2(s[r] - top), visible);
      var kept = vec4(1.0);
      if (DROPOUT) { kept = factors(key, (base + i) * params.keys + j, params.keys); }
      s[r] = p * (dp[r] * kept - mean);
      dp[r] = p * kept;
    }
    for (var c = 0u; c < CHUNKS; c++) {
      let q = mat4x4(load_q(q0, c), load_q(q1, c), load_q(q2, c), load_q(q3, c));
      let d = mat4x4(load_dout(d0, c), load_dout(d1, c), load_dout(d2, c), load_dout(d3, c));
      for (var r = 0u; r < ROWS; r++) {
        dk[r][c] += q * s[r];
        dv[r][c] += d * dp[r];
      }
    }
  }
  for (var r = 0u; r < ROWS; r++) {
    let j = first + r * THREADS + thread;
    if (j < params.keys) {
      let k_to = k_at(b, j, h);
      let v_to = v_at(b, j, h);
      for (var c = 0u; c < CHUNKS; c++) {
        store_dkv(k_to, c, dk[r][c] * params.scale);
        store_dkv(v_to, c, dv[r][c]);
      }
    }
  }
}
