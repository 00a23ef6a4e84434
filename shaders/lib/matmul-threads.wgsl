// A product in registers, each thread by itself: no workgroup memory, no barriers, no subgroups.
// include lib/matmul-registers.wgsl

fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let top = m + 4u * i;
  return upright(p.form == TN,
    mat4x4(a_part(p, top, k, 0u), a_part(p, top, k, 1u), a_part(p, top, k, 2u), a_part(p, top, k, 3u)));
}

@compute @workgroup_size(LANES, TEAMS)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  plain_tile(PLAIN, group, thread.xy);
}

@compute @workgroup_size(LANES, TEAMS)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  plain_tile(KEPT, group, thread.xy);
}

@compute @workgroup_size(LANES, TEAMS)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) thread: vec3<u32>,
) {
  backward_tile(group_index(group, groups), thread.y * LANES + thread.x, thread.xy);
}
