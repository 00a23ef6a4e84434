// Access to the heads of q, kv and out in chunks of four columns, for any head width, number by number;
// chunks-vec4.wgsl is the same for multiples of 4. Columns past the end of a head read as 0 and are not written.
// part of attention/attention.wgsl
// include shared/scalar.wgsl

const WIDTH: u32 = 32u; // columns of a head
const CHUNKS: u32 = (WIDTH + 3u) / 4u;

// Chunk c of the head that starts at vector `at`, which is a number here.
fn load_q(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(q[i.x], q[i.y], q[i.z], q[i.w]), w < vec4(WIDTH));
}
fn load_kv(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(kv[i.x], kv[i.y], kv[i.z], kv[i.w]), w < vec4(WIDTH));
}
fn store_out(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < min(4u, WIDTH - c * 4u); k++) { out[at + c * 4u + k] = x[k]; }
}
