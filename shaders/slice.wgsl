// y[r, c] = x[r, column + c] for rows of x `stride` wide and rows of y `width` wide. A thread an element of y.
// include lib/index.wgsl

struct Params {
  stride: u32,
  column: u32,
  width: u32,
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn slice(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    y[i] = x[i / params.width * params.stride + params.column + i % params.width];
  }
}
