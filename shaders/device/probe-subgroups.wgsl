// Tests whether a workgroup of LANES threads is one subgroup with its lanes in the order of the threads.
// Kernels with `enable subgroups` assume this; WGSL does not guarantee it. y[group·LANES + thread] = 1, or 0
// if the thread sees another order or numbers of another group.
enable subgroups;

@group(0) @binding(0) var<storage, read_write> y: array<u32>;

override LANES: u32 = 4u;

@compute @workgroup_size(LANES)
fn probe(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
  @builtin(subgroup_invocation_id) lane: u32,
  @builtin(subgroup_size) size: u32,
) {
  let index = group.x + groups.x * (group.y + groups.y * group.z);
  let own = index * LANES + thread;
  let first = index * LANES;
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
