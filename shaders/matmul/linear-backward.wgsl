// Gradients of y = x·wᵀ + b in one dispatch: dx = dy·w [rows, in], dw = dyᵀ·x [out, in], db = Σ_rows dy
// [out]. A workgroup computes a tile of dx, a tile of dw, or column sums for db.
// part of matmul/matmul-tiled.wgsl
// include matmul/matmul-grid.wgsl

@group(0) @binding(7) var<storage, read_write> db: array<f32>; // column sums of dy [out]

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) who: vec3<u32>,
) {
  let id = group.y * groups.x + group.x;
  let columns = (params.n + TILE_COLUMNS - 1u) / TILE_COLUMNS;
  if (id < params.dx_tiles) {
    tile(dx_product(), (id / columns) * TILE_ROWS, (id % columns) * TILE_COLUMNS, who.xy);
  } else if (id < params.dx_tiles + params.dw_tiles) {
    let i = id - params.dx_tiles;
    tile(dw_product(), (i / columns) * TILE_ROWS, (i % columns) * TILE_COLUMNS, who.xy);
  } else {
    let first = (id - params.dx_tiles - params.dw_tiles) * (THREADS_X * THREADS_Y);
    column_sums((first + who.y * THREADS_X + who.x) * 4u);
  }
}

// db[j..j+3], sums over the rows of dy, by one thread.
fn column_sums(j: u32) {
  let p = dw_product();
  if (j >= p.m) { return; }
  var sums: vec4<f32>;
  for (var k = 0u; k < p.k; k += 4u) {
    sums += (a_vec(p, j, k, 0u) + a_vec(p, j, k, 1u)) + (a_vec(p, j, k, 2u) + a_vec(p, j, k, 3u));
  }
  for (var i = 0u; i < min(4u, p.m - j); i++) { db[j + i] = select(0.0, db[j + i], params.accumulate != 0u) + sums[i]; }
}
