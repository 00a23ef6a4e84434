// The tensors of attention where head widths are multiples of four, and how chunks of four columns are read and written.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read> q_in: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> kv_in: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> out: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>;
@group(0) @binding(7) var<storage, read> out_in: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> dout_in: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read> lse_in: array<f32>;
@group(0) @binding(10) var<storage, read_write> dq: array<vec4<f32>>;
@group(0) @binding(11) var<storage, read_write> dkv: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read_write> row_dots: array<f32>;
@group(0) @binding(13) var<storage, read> row_dots_in: array<f32>;

// Chunk c, four columns, of the head that begins at element `at`.
fn load_q(at: u32, c: u32) -> vec4<f32> { return q_in[at / 4u + c]; }
fn load_kv(at: u32, c: u32) -> vec4<f32> { return kv_in[at / 4u + c]; }
fn load_out(at: u32, c: u32) -> vec4<f32> { return out_in[at / 4u + c]; }
fn load_dout(at: u32, c: u32) -> vec4<f32> { return dout_in[at / 4u + c]; }
fn store_out(at: u32, c: u32, x: vec4<f32>) { out[at / 4u + c] = x; }
fn store_dq(at: u32, c: u32, x: vec4<f32>) { dq[at / 4u + c] = x; }
fn store_dkv(at: u32, c: u32, x: vec4<f32>) { dkv[at / 4u + c] = x; }
