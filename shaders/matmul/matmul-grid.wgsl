// Assigns tiles of C to workgroups, for products and for linear_backward. A kernel that includes it brings
//   fn tile_rows() -> u32, fn tile_columns() -> u32, fn threads() -> u32
//   fn tile(p: Product, m: u32, n: u32, who: vec2<u32>)   computes and stores the tile of C that starts at [m, n]
// include matmul/matmul-epilogue.wgsl

@group(0) @binding(7) var<storage, read_write> db: array<f32>; // linear_backward: column sums of dz [out]

// The tile of a workgroup in the grid [column tiles, row tiles, batch].
fn plain_tile(purpose: u32, group: vec3<u32>, who: vec2<u32>) {
  tile(plain_product(purpose, group.z), group.y * tile_rows(), group.x * tile_columns(), who);
}

// The work of a workgroup in linear_backward: a tile of dx, a tile of dw, or column sums for db.
fn backward_tile(group: vec3<u32>, groups: vec3<u32>, thread: u32, who: vec2<u32>) {
  let id = group.y * groups.x + group.x;
  let columns = (params.n + tile_columns() - 1u) / tile_columns();
  if (id < params.dx_tiles) {
    tile(dx_product(), (id / columns) * tile_rows(), (id % columns) * tile_columns(), who);
  } else if (id < params.dx_tiles + params.dw_tiles) {
    let i = id - params.dx_tiles;
    tile(dw_product(), (i / columns) * tile_rows(), (i % columns) * tile_columns(), who);
  } else {
    column_sums(((id - params.dx_tiles - params.dw_tiles) * threads() + thread) * 4u);
  }
}

// db[j..j+3], sums over the rows of dz, by one thread.
fn column_sums(j: u32) {
  let p = dw_product();
  if (j >= p.m) { return; }
  var sums: vec4<f32>;
  for (var k = 0u; k < p.k; k += 4u) {
    sums += (a_vec(p, j, k, 0u) + a_vec(p, j, k, 1u)) + (a_vec(p, j, k, 2u) + a_vec(p, j, k, 3u));
  }
  for (var i = 0u; i < min(4u, p.m - j); i++) { db[j + i] = select(0.0, db[j + i], params.accumulate != 0u) + sums[i]; }
}
