// Matrix product by register tiling with subgroup broadcasts: C[m,n] = Σ_k A[m,k]·B[k,n], ROWS x 4 (WIDE: 8) numbers of
// C per thread. Each of the LANES threads of a subgroup reads some rows of A and broadcasts them, so that a number of A
// is read once per LANES * 4 (WIDE: 8) columns. For devices on which reads are slow. LANES is 4 or 8 and at most the
// minimum subgroup size; a workgroup is LANES threads, one subgroup.
enable subgroups;
// include matmul/matmul-register-tile.wgsl
// include matmul/matmul-output-vec4.wgsl | scalar: matmul/matmul-output-scalar.wgsl

fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let eight = LANES == 8u; // the lanes read 8 rows at once, for blocks i and i + 1
  let rows = a_vec(p, m + 4u * select(i, i & ~1u, eight) + (lane & 4u), k, lane & 3u);
  if (eight && (i & 1u) == 1u) { return upright(p.form == TN, last_lanes(rows)); }
  return upright(p.form == TN, first_lanes(rows));
}

fn first_lanes(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(
    subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}

fn last_lanes(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(
    subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u));
}

@compute @workgroup_size(LANES)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  plain_tile(PLAIN, group, vec2(lane, 0u));
}

@compute @workgroup_size(LANES)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(subgroup_invocation_id) lane: u32) {
  plain_tile(KEPT, group, vec2(lane, 0u));
}

@compute @workgroup_size(LANES)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  backward_tile(group, groups, lane, vec2(lane, 0u));
}
