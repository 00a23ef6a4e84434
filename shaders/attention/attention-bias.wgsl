// Self-attention with a bias of position: score(i, j) += bias[h, j - i + farthest], where distances beyond `farthest`
// use the ends (relative-position-bias.wgsl). Queries are read through kv, which is the same tensor in self-attention:
// a kernel may bind 8 storage buffers.
// part of attention/attention.wgsl

@group(0) @binding(14) var<storage, read> bias: array<f32>;

fn load_query(at: u32, c: u32) -> vec4<f32> { return load_kv(at, c); }

// s, scores of head h in units of log2, with the bias of queries i and keys j.
fn biased(s: vec4<f32>, h: u32, i: vec4<u32>, j: vec4<u32>) -> vec4<f32> {
  let far = vec4(i32(params.farthest));
  let at = vec4<u32>(clamp(vec4<i32>(j) - vec4<i32>(i), -far, far) + far) + h * (2u * params.farthest + 1u);
  return s + LOG2_E * vec4(bias[at.x], bias[at.y], bias[at.z], bias[at.w]);
}
