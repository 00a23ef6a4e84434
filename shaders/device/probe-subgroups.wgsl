// Tests what kernels with `enable subgroups` assume, and WGSL does not guarantee. y[i] = 1 for thread i of the grid, or
// 0 if it sees something else. Entry points:
//   probe       a workgroup of LANES threads is one subgroup with its lanes in the order of the threads
//   probe_rows  a subgroup is LANES threads next to each other, and adds up, compares and exchanges their numbers
enable subgroups;
diagnostic(off, subgroup_uniformity);

@group(0) @binding(0) var<storage, read_write> y: array<u32>;

override LANES: u32 = 4u;

fn index_of(group: vec3<u32>, groups: vec3<u32>) -> u32 { return group.x + groups.x * (group.y + groups.y * group.z); }

@compute @workgroup_size(LANES)
fn probe(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let first = index_of(group, groups) * LANES;
  let own = first + thread;
  var right = lane == thread && size >= LANES;
  right = subgroupBroadcast(own, 0u) == first && right;
  right = subgroupBroadcast(own, 1u) == first + 1u && right;
  right = subgroupBroadcast(own, 2u) == first + 2u && right;
  right = subgroupBroadcast(own, 3u) == first + 3u && right;
  if (LANES == 8u) {
    right = subgroupBroadcast(own, 4u) == first + 4u && right;
    right = subgroupBroadcast(own, 5u) == first + 5u && right;
    right = subgroupBroadcast(own, 6u) == first + 6u && right;
    right = subgroupBroadcast(own, 7u) == first + 7u && right;
  }
  y[own] = u32(right);
}

const ROWS_THREADS: u32 = 128u;

@compute @workgroup_size(ROWS_THREADS)
fn probe_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let own = index_of(group, groups) * ROWS_THREADS + thread;
  let first = own / LANES * LANES;
  var right = subgroupMin(own) == first && subgroupMax(own) == first + LANES - 1u;
  right = subgroupAdd(f32(thread % LANES + 1u)) == f32(LANES * (LANES + 1u) / 2u) && right;
  y[own] = u32(right);
}
