// Attention without a bias of position; attention-bias.wgsl has the same functions.
// part of attention/attention.wgsl

fn load_query(at: u32, c: u32) -> vec4<f32> { return load_q(at, c); }
fn biased(s: vec4<f32>, h: u32, i: vec4<u32>, j: vec4<u32>) -> vec4<f32> { return s; }
