// Access to the tensors of attention's backward pass in chunks of four columns, for any head width;
// attention-chunks-vec4.wgsl is the same for multiples of 4.
// part of attention/attention.wgsl

fn load_out(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(out_in[i.x], out_in[i.y], out_in[i.z], out_in[i.w]), w < vec4(WIDTH));
}
fn load_dout(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(dout[i.x], dout[i.y], dout[i.z], dout[i.w]), w < vec4(WIDTH));
}
fn store_dq(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < min(4u, WIDTH - c * 4u); k++) { dq[at + c * 4u + k] = x[k]; }
}
fn store_dkv(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < min(4u, WIDTH - c * 4u); k++) { dkv[at + c * 4u + k] = x[k]; }
}
