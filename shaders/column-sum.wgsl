// sums[c] = sum over rows of partials[row, c], the columns cut into equal parts with an output each; a thread a column.
// include lib/index.wgsl

struct Params {
  rows: u32,
  // Columns of one part.
  cols: u32,
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums0: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums1: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 64u;

fn sum_of(column: u32, parts: u32) -> f32 {
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    sum += partials[row * params.cols * parts + column];
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn column_sum_1(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = group_index(group, groups) * THREADS + thread;
  if (c < params.cols) {
    sums0[c] = sum_of(c, 1u);
  }
}

@compute @workgroup_size(THREADS)
fn column_sum_2(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let c = group_index(group, groups) * THREADS + thread;
  if (c < params.cols) {
    sums0[c] = sum_of(c, 2u);
  } else if (c < 2u * params.cols) {
    sums1[c - params.cols] = sum_of(c, 2u);
  }
}
