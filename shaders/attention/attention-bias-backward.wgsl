// The gradient of attention's bias of position, without a tensor of scores: dbias[h, d] = sum of dS[i, j] over all
// rows, queries i and keys j with j - i = d (or beyond, at the ends), dS = p∘(dropout(dP) - row_dots).
//   by_distance    a thread sums one distance of one row and head: sums [B, H, 2T - 1]
//   sum_rows       a workgroup adds the rows, and the distances of an end, in a fixed order
// include attention/attention-base.wgsl
// include shared/chunks-vec4.wgsl | scalar: shared/chunks-scalar.wgsl
// include attention/attention-chunks-vec4.wgsl | scalar: attention/attention-chunks-scalar.wgsl
// include attention/attention-bias.wgsl

@group(0) @binding(15) var<storage, read_write> sums: array<f32>;
@group(0) @binding(16) var<storage, read> sums_in: array<f32>;
@group(0) @binding(17) var<storage, read_write> dbias: array<f32>;

@compute @workgroup_size(64)
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
  sums[(b * params.heads + h) * distances + n] = sum;
}

var<workgroup> parts: array<f32, 64>;

@compute @workgroup_size(64)
fn sum_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
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
    for (var n = first + thread; n < end; n += 64u) { sum += sums_in[(b * params.heads + h) * distances + n]; }
  }
  parts[thread] = sum;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (thread < half) { parts[thread] += parts[thread + half]; }
    workgroupBarrier();
  }
  if (thread == 0u) { dbias[h * (last + 1u) + e] = parts[0]; }
}
