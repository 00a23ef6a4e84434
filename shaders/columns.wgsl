// Columns first .. first + narrow - 1 of a matrix whose rows are `wide`:
//   add_columns           y = x, with scale * u added in them
//   add_columns_in_place  the same with y in the memory of x
//   take_columns          y = scale * x of them
// A thread takes PER numbers, THREADS apart.
// include lib/index.wgsl

struct Params {
  count: u32, // numbers that are written
  wide: u32,
  narrow: u32,
  first: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 256u;
const PER: u32 = 1u;

fn first_number(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
  return group_index(group, groups) * THREADS * PER + thread;
}

fn end_number(first: u32) -> u32 {
  return min(first + THREADS * PER, params.count);
}

// Where number i of the narrow matrix lies in the wide one.
fn in_wide(i: u32) -> u32 {
  return i / params.narrow * params.wide + params.first + i % params.narrow;
}

@compute @workgroup_size(THREADS)
fn add_columns(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = first_number(group, groups, thread);
  let end = end_number(start);
  for (var i = start; i < end; i += THREADS) {
    let column = i % params.wide;
    var value = x[i];
    if (column >= params.first && column < params.first + params.narrow) {
      value += params.scale * u[i / params.wide * params.narrow + column - params.first];
    }
    y[i] = value;
  }
}

@compute @workgroup_size(THREADS)
fn add_columns_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = first_number(group, groups, thread);
  let end = end_number(start);
  for (var i = start; i < end; i += THREADS) {
    y[in_wide(i)] += params.scale * u[i];
  }
}

@compute @workgroup_size(THREADS)
fn take_columns(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let start = first_number(group, groups, thread);
  let end = end_number(start);
  for (var i = start; i < end; i += THREADS) {
    y[i] = params.scale * x[in_wide(i)];
  }
}
