// Matrix product by register tiling, for devices on which barriers are slow: C[m,n] = Σ_k A[m,k]·B[k,n], ROWS x 4
// (WIDE: 8) numbers of C per thread. No workgroup memory, no barriers, no subgroups.
// include matmul/matmul-register-tile.wgsl
// include matmul/matmul-output-vec4.wgsl | scalar: matmul/matmul-output-scalar.wgsl

fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let top = m + 4u * i;
  return upright(p.form == TN,
    mat4x4(a_vec(p, top, k, 0u), a_vec(p, top, k, 1u), a_vec(p, top, k, 2u), a_vec(p, top, k, 3u)));
}

@compute @workgroup_size(LANES, LANE_GROUPS)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(PLAIN, group, who.xy);
}

@compute @workgroup_size(LANES, LANE_GROUPS)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(KEPT, group, who.xy);
}

@compute @workgroup_size(LANES, LANE_GROUPS)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) who: vec3<u32>,
) {
  backward_tile(group, groups, who.y * LANES + who.x, who.xy);
}
