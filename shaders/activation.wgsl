// y = f(x), element by element, and dx = f'(x) * dy; a thread an element. The kind is an override, so that its branches fold away.
// `*_in_place` are for y in the memory of x, and for dx in the memory of dy.
// include lib/activation.wgsl
// include lib/index.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

override KIND: u32 = 0u;
const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn activation(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    y[i] = activate(x[i], KIND);
  }
}

@compute @workgroup_size(THREADS)
fn activation_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    y[i] = activate(y[i], KIND);
  }
}

@compute @workgroup_size(THREADS)
fn activation_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    dx[i] = dy[i] * activation_slope(x[i], KIND);
  }
}

@compute @workgroup_size(THREADS)
fn activation_backward_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    dx[i] *= activation_slope(x[i], KIND);
  }
}
