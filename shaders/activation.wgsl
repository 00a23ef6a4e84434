// y = f(x), element by element, and dx = f'(x) * dy. The kind is an override, so that its branches fold away.
// `*_in_place` are for y in the memory of x, and for dx in the memory of dy.
// include lib/activation.wgsl
// include lib/elementwise.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

override KIND: u32 = 0u;
const PER: u32 = 1u;

@compute @workgroup_size(THREADS)
fn activation(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(activate4(x[i], KIND), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn activation_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(activate4(y[i], KIND), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn activation_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    dx[i] = within(dy[i] * activation_slope4(x[i], KIND), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn activation_backward_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    dx[i] = within(dx[i] * activation_slope4(x[i], KIND), i, params.count);
  }
}
