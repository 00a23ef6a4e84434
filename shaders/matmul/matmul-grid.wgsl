// Entry points of a product, which assign tiles of C to workgroups. A kernel that includes it defines
//   TILE_ROWS, TILE_COLUMNS   size of the tile of a workgroup; each of these is a const or an override
//   THREADS_X, THREADS_Y      threads of a workgroup
//   fn tile(p: Product, m: u32, n: u32, who: vec2<u32>)   computes and stores the tile of C that starts at [m, n]; `who` is
//                                                         the position of the thread in the workgroup
// part of matmul/matmul-tiled.wgsl
// include matmul/matmul-epilogue.wgsl

// The tile of a workgroup in the grid [column tiles, row tiles, batch].
fn plain_tile(purpose: u32, group: vec3<u32>, who: vec2<u32>) {
  tile(plain_product(purpose, group.z), group.y * TILE_ROWS, group.x * TILE_COLUMNS, who);
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(PLAIN, group, who.xy);
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(KEPT, group, who.xy);
}
