// Access to the heads of q, kv and out in chunks of four columns, for head widths that are multiples of 4;
// chunks-scalar.wgsl is the same for any width. The including file declares q, kv and out as array<Vec>.
// part of attention/attention.wgsl
// include shared/vec4.wgsl

const WIDTH: u32 = 32u; // columns of a head
const CHUNKS: u32 = (WIDTH + 3u) / 4u;

// Chunk c of the head that starts at vector `at`.
fn load_q(at: u32, c: u32) -> vec4<f32> { return q[at + c]; }
fn load_kv(at: u32, c: u32) -> vec4<f32> { return kv[at + c]; }
fn store_out(at: u32, c: u32, x: vec4<f32>) { out[at + c] = x; }
