// Attention in registers with subgroup broadcasts, for CPU adapters, on which reads and barriers are slow:
//   out = dropout(softmax(scale·q·kᵀ))·v, and its gradients (attention-subgroups-backward.wgsl)
// A thread keeps ROWS queries and their outputs in registers and iterates over the keys four at a time with
// an online softmax. The threads of a workgroup have neighbouring queries of one sequence and head, and so
// need the same keys: LANES neighbouring threads each read one chunk of one of four rows and broadcast it.
// LANES is 4 or 8 and at most the minimum subgroup size; a workgroup is LANES threads, the first lanes of its
// subgroup.
enable subgroups;
// include attention/attention-base.wgsl
// include attention/attention-subgroups-backward.wgsl

override THREADS: u32 = 8u;
const ROWS: u32 = 1u;
const LANES: u32 = 4u;
var<private> lane: u32;

// PADDED_CHUNKS as a loop bound that is unknown to compilers, so that they unroll only marked loops. llvmpipe
// guesses a bound that is loaded before the loop with other fields of its four words, so padded has none beside it.
fn chunk_bound() -> u32 { return params.padded; }

// Index of the first vector of the row that this thread reads, and which of the chunks c and c + 1 it reads.
fn own_row(start: u32, stride: u32, row: u32, last: u32) -> u32 { return start + min(row + (lane & 3u), last) * stride; }
fn own_chunk(c: u32) -> u32 { return min(c + select(0u, (lane >> 2u) & 1u, LANES == 8u), CHUNKS - 1u); }

@each(kv, query, dout) fn fetch_EACH(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = own_row(start, stride, row, last);
  let x = load_EACH(at, own_chunk(c));
  if (LANES == 8u) { return Pair(broadcast(x), broadcast_high(x)); }
  return Pair(broadcast(x), broadcast(load_EACH(at, min(c + 1u, CHUNKS - 1u))));
}

fn broadcast(x: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(subgroupBroadcast(x, 0u), subgroupBroadcast(x, 1u), subgroupBroadcast(x, 2u), subgroupBroadcast(x, 3u));
}
fn broadcast_high(x: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(subgroupBroadcast(x, 4u), subgroupBroadcast(x, 5u), subgroupBroadcast(x, 6u), subgroupBroadcast(x, 7u));
}

@compute @workgroup_size(THREADS)
fn forward(
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
  var o: array<array<vec4<f32>, PADDED_CHUNKS>, ROWS>;
  var top: array<f32, ROWS>;
  var total: array<f32, ROWS>;
  // unroll
  for (var r = 0u; r < ROWS; r++) {
    let at = q_at(b, min(first + r * THREADS + thread, params.queries - 1u), h);
    var read: array<vec4<f32>, PADDED_CHUNKS>;
    for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { read[c] = load_query(at, c); }
    // unroll up to 8
    for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { q[r][c] = read[c] * (params.scale * LOG2_E); }
    top[r] = MASKED;
  }
  let k_start = k_at(b, 0u, h);
  let v_start = v_at(b, 0u, h);
  for (var j = 0u; j < end; j += 4u) {
    var s = array<vec4<f32>, ROWS>();
    // unroll up to 8
    for (var c = 0u; c < min(PADDED_CHUNKS, chunk_bound()); c += 2u) {
      let k = fetch_kv(k_start, params.kv_stride / VEC, j, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) { s[r] = dots(dots(s[r], q[r][c], k.lo), q[r][c + 1u], k.hi); }
    }
    var rescale = array<f32, ROWS>();
    // unroll
    for (var r = 0u; r < ROWS; r++) {
      let i = first + r * THREADS + thread;
      let visible = four(j) < vec4(seen_by(i, length));
      s[r] = select(vec4(MASKED), biased(s[r], h, vec4(i), four(j)), visible);
      let m = max(top[r], max4(s[r]));
      rescale[r] = exp2(top[r] - m);
      top[r] = m;
      s[r] = select(vec4(0.0), exp2(s[r] - m), visible);
      total[r] = total[r] * rescale[r] + sum4(s[r]);
      if (DROPOUT) { s[r] *= factors(key, row_at(b, i, h) * params.keys + j, 1u); }
    }
    // unroll up to 8
    for (var c = 0u; c < min(PADDED_CHUNKS, chunk_bound()); c += 2u) {
      let v = fetch_kv(v_start, params.kv_stride / VEC, j, last, c);
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        o[r][c] = blend(o[r][c] * rescale[r], s[r], v.lo);
        o[r][c + 1u] = blend(o[r][c + 1u] * rescale[r], s[r], v.hi);
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
      var made: array<vec4<f32>, PADDED_CHUNKS>;
      // unroll up to 8
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { made[c] = o[r][c] * scale; }
      for (var c = 0u; c < min(CHUNKS, chunk_bound()); c++) { store_out(at, c, made[c]); }
      lse[row_at(b, i, h)] = select(0.0, (top[r] + log2(total[r])) * LN_2, any);
    }
  }
}

// A thread sums dS at one distance in a row and head: dbias_parts [B, H, 2T - 1].
@if(bias) @compute @workgroup_size(64)
fn by_distance(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let n = group.x * 64u + thread;
  let distances = 2u * params.queries - 1u;
  if (n >= distances) { return; }
  // Key j = i + n - (queries - 1).
  let back = params.queries - 1u;
  let first = max(n, back) - n;
  let length = length_of(b);
  var end = min(params.queries, max(length + back, n) - n);
  if (params.causal != 0u && n > back) { end = 0u; }
  let key = dropout_key(step.seed, step.step, params.site);
  var sum = 0.0;
  for (var i = first; i < end; i++) {
    let j = i + n - back;
    let q_from = q_at(b, i, h);
    let k_from = k_at(b, j, h);
    let v_from = v_at(b, j, h);
    let d_from = out_at(b, i, h);
    var s = vec4(0.0);
    var dp = vec4(0.0);
    for (var c = 0u; c < CHUNKS; c++) {
      s += load_query(q_from, c) * load_kv(k_from, c);
      dp += load_dout(d_from, c) * load_kv(v_from, c);
    }
    let row = row_at(b, i, h);
    var slope = sum4(dp);
    if (DROPOUT) { slope *= dropout_factor(key, row * params.keys + j, params.threshold, params.keep_scale); }
    let score = biased(vec4(sum4(s) * params.scale * LOG2_E), h, vec4(i), vec4(j)).x;
    sum += exp2(score - lse_in[row] * LOG2_E) * (slope - row_dots_in[row]);
  }
  dbias_parts[(b * params.heads + h) * distances + n] = sum;
}

@if(bias) var<workgroup> parts: array<f32, 64>;

// A workgroup adds the rows, and the distances of an end.
@if(bias) @compute @workgroup_size(64)
fn sum_distances(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let e = group.x;
  let h = group.y;
  // The distances of entry e: one, or all from an end on.
  let last = 2u * params.farthest;
  let distances = 2u * params.queries - 1u;
  let at = i32(e + params.queries - 1u) - i32(params.farthest);
  let first = select(u32(max(at, 0)), 0u, e == 0u);
  let end = select(u32(clamp(at + 1, 0, i32(distances))), distances, e == last);
  var sum = 0.0;
  for (var b = 0u; b < params.batch; b++) {
    for (var n = first + thread; n < end; n += 64u) { sum += dbias_parts_in[(b * params.heads + h) * distances + n]; }
  }
  parts[thread] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (thread < half) { parts[thread] += parts[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0u) { dbias[h * (last + 1u) + e] = parts[0]; }
}
