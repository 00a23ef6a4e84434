// Access to the heads of q and out in chunks of four columns. In the variant `scalar`, for head widths
// that are not a multiple of 4, columns past the end of a head read as 0 and are not written. The including
// file declares q and out as array<Vec>.
// part of attention/attention.wgsl
// include shared/vec.wgsl

const WIDTH: u32 = 32u; // columns of a head
const CHUNKS: u32 = (WIDTH + 3u) / 4u;

// Indices of the numbers of chunk c of the head that starts at number `at`; those past its end are the last.
fn chunk_indices(at: u32, c: u32) -> vec4<u32> {
  return at + min(vec4(0u, 1u, 2u, 3u) + c * 4u, vec4(WIDTH - 1u));
}

// Chunk c, with zeros past the end of the head.
fn within_head(x: vec4<f32>, c: u32) -> vec4<f32> {
  return select(vec4(0.0), x, vec4(0u, 1u, 2u, 3u) + c * 4u < vec4(WIDTH));
}

// Numbers of chunk c.
fn chunk_size(c: u32) -> u32 { return min(4u, WIDTH - c * 4u); }

// Chunk c of the head that starts at vector `at`.
@if(scalar) fn load_q(at: u32, c: u32) -> vec4<f32> {
  let i = chunk_indices(at, c);
  return within_head(vec4(q[i.x], q[i.y], q[i.z], q[i.w]), c);
}
@else fn load_q(at: u32, c: u32) -> vec4<f32> { return q[at + c]; }
@if(scalar) fn store_out(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < chunk_size(c); k++) { out[at + c * 4u + k] = x[k]; }
}
@else fn store_out(at: u32, c: u32, x: vec4<f32>) { out[at + c] = x; }
