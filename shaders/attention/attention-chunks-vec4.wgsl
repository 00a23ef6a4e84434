// Access to the tensors of attention's backward pass in chunks of four columns, for head widths that are multiples of
// 4; attention-chunks-scalar.wgsl is the same for any width.
// part of attention/attention.wgsl

fn load_out(at: u32, c: u32) -> vec4<f32> { return out_in[at + c]; }
fn load_dout(at: u32, c: u32) -> vec4<f32> { return dout[at + c]; }
fn store_dq(at: u32, c: u32, x: vec4<f32>) { dq[at + c] = x; }
fn store_dkv(at: u32, c: u32, x: vec4<f32>) { dkv[at + c] = x; }
