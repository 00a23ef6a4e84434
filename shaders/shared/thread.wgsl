// Position of a thread in a dispatch, the argument of most entry points. The uniformity analysis of WGSL treats all
// fields of a struct as non-uniform if one is. Entry points with barriers in branches on the workgroup use plain
// arguments.

struct Thread {
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
}

// Number of the workgroup in a grid that gridOf (src/ops/op.ts) may have folded into two dimensions.
fn group_index(thread: Thread) -> u32 {
  return thread.group.y * thread.groups.x + thread.group.x;
}
