// The second pass of a product whose K was split: C = the sum of the parts in their order, then finished as by the kernels of one
// pass. A thread makes four numbers of a row. Here A is the parts [K, M, N], K of them.
// include lib/matmul-finish.wgsl
// include lib/matmul-write-1.wgsl

fn combine_row(part: u32, group: vec3<u32>, groups: vec3<u32>, thread: u32) {
  let fours = (params.n + 3u) / 4u;
  let i = group_index(group, groups) * 64u + thread;
  let m = i / fours;
  let n = (i % fours) * 4u;
  if (m >= params.m) { return; }
  var sum: vec4<f32>;
  for (var s = 0u; s < params.k; s++) {
    sum += a_four((s * params.m + m) * params.n + n, params.n - n);
  }
  store_row(plain_product(part, 0u), m, n, params.n - n, sum);
}

@compute @workgroup_size(64)
fn combine(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  combine_row(PLAIN, group, groups, thread);
}

@compute @workgroup_size(64)
fn combine_kept(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  combine_row(KEPT, group, groups, thread);
}
