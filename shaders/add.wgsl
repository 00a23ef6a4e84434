// y = a + b, element by element. `add_in_place` is for y in the memory of one of the two: y = y + b.
// include lib/elementwise.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

const PER: u32 = 1u;

@compute @workgroup_size(THREADS)
fn add(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(a[i] + b[i], i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn add_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(y[i] + b[i], i, params.count);
  }
}
