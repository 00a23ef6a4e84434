// The tensors of attention for any head width, read and written column by column. The columns that fill up the last chunk of a head
// count as zero and are never written.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read> q_in: array<f32>;
@group(0) @binding(4) var<storage, read> kv_in: array<f32>;
@group(0) @binding(5) var<storage, read_write> out: array<f32>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;
@group(0) @binding(7) var<storage, read> out_in: array<f32>;
@group(0) @binding(8) var<storage, read> dout_in: array<f32>;
@group(0) @binding(9) var<storage, read> lse_in: array<f32>;
@group(0) @binding(10) var<storage, read_write> dq: array<f32>;
@group(0) @binding(11) var<storage, read_write> dkv: array<f32>;
@group(0) @binding(12) var<storage, read_write> row_dots: array<f32>;
@group(0) @binding(13) var<storage, read> row_dots_in: array<f32>;

// Chunk c, four columns, of the head that begins at element `at`.
fn load_q(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(q_in[i.x], q_in[i.y], q_in[i.z], q_in[i.w]), w < vec4(WIDTH));
}
fn load_kv(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(kv_in[i.x], kv_in[i.y], kv_in[i.z], kv_in[i.w]), w < vec4(WIDTH));
}
fn load_out(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(out_in[i.x], out_in[i.y], out_in[i.z], out_in[i.w]), w < vec4(WIDTH));
}
fn load_dout(at: u32, c: u32) -> vec4<f32> {
  let w = vec4(0u, 1u, 2u, 3u) + c * 4u;
  let i = at + min(w, vec4(WIDTH - 1u));
  return select(vec4(0.0), vec4(dout_in[i.x], dout_in[i.y], dout_in[i.z], dout_in[i.w]), w < vec4(WIDTH));
}
fn store_out(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < min(4u, WIDTH - c * 4u); k++) { out[at + c * 4u + k] = x[k]; }
}
fn store_dq(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < min(4u, WIDTH - c * 4u); k++) { dq[at + c * 4u + k] = x[k]; }
}
fn store_dkv(at: u32, c: u32, x: vec4<f32>) {
  for (var k = 0u; k < min(4u, WIDTH - c * 4u); k++) { dkv[at + c * 4u + k] = x[k]; }
}
