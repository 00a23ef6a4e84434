// Assigns tiles of C to workgroups, for products and for linear_backward. A kernel that includes it defines
//   TILE_ROWS, TILE_COLUMNS and THREADS, each a const or an override
//   fn tile(p: Product, m: u32, n: u32, who: vec2<u32>)   computes and stores the tile of C that starts at [m, n]
// part of matmul/matmul-tiled.wgsl
// include matmul/matmul-epilogue.wgsl

@group(0) @binding(7) var<storage, read_write> db: array<f32>; // linear_backward: column sums of dz [out]

// The tile of a workgroup in the grid [column tiles, row tiles, batch].
fn plain_tile(purpose: u32, group: vec3<u32>, who: vec2<u32>) {
  tile(plain_product(purpose, group.z), group.y * TILE_ROWS, group.x * TILE_COLUMNS, who);
}

// The work of a workgroup in linear_backward: a tile of dx, a tile of dw, or column sums for db.
fn backward_tile(group: vec3<u32>, groups: vec3<u32>, thread: u32, who: vec2<u32>) {
  let id = group.y * groups.x + group.x;
  let columns = (params.n + TILE_COLUMNS - 1u) / TILE_COLUMNS;
  if (id < params.dx_tiles) {
    tile(dx_product(), (id / columns) * TILE_ROWS, (id % columns) * TILE_COLUMNS, who);
  } else if (id < params.dx_tiles + params.dw_tiles) {
    let i = id - params.dx_tiles;
    tile(dw_product(), (i / columns) * TILE_ROWS, (i % columns) * TILE_COLUMNS, who);
  } else {
    column_sums(((id - params.dx_tiles - params.dw_tiles) * THREADS + thread) * 4u);
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
