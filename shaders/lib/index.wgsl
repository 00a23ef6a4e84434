// The number of a workgroup in a grid that gridOf (src/ops/op.ts) may have folded into two dimensions.
fn group_index(group: vec3<u32>, groups: vec3<u32>) -> u32 {
  return group.y * groups.x + group.x;
}
