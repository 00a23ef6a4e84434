// Matrix product by register tiling, for devices on which barriers are slow: C[m,n] = Σ_k A[m,k]·B[k,n]. A
// thread computes ROWS rows and 4 (WIDE: 8) columns of C. LANES threads next to each other share rows; a
// workgroup has LANE_GROUPS groups of them, one below the other. No workgroup memory, no barriers. The loop
// over 4x4 blocks is unrolled by hand: some compilers leave arrays of blocks in memory.
//
// In the variant `subgroups`, for devices on which reads are slow, a workgroup is LANES threads, one
// subgroup. Each reads some rows of A and broadcasts them, so that a number of A is read once per LANES * 4
// (WIDE: 8) columns. LANES is 4 or 8 and at most the minimum subgroup size.
@if(subgroups) enable subgroups;
// include matmul/linear-backward.wgsl

override LANES: u32 = 8u;
override LANE_GROUPS: u32 = 8u;
override ROWS: u32 = 16u; // 4 .. 32
override WIDE: bool = false;
override THREADS_X: u32 = LANES;
override THREADS_Y: u32 = LANE_GROUPS;
override TILE_ROWS: u32 = ROWS * LANE_GROUPS;
override TILE_COLUMNS: u32 = LANES * select(4u, 8u, WIDE);

const MAX_BLOCKS: u32 = 0x3fffffffu; // a constant bound of a loop that ends by `break`, so that compilers add no counter

struct Tile {
  c0: mat4x4<f32>, c1: mat4x4<f32>, c2: mat4x4<f32>, c3: mat4x4<f32>,
  c4: mat4x4<f32>, c5: mat4x4<f32>, c6: mat4x4<f32>, c7: mat4x4<f32>,
  d0: mat4x4<f32>, d1: mat4x4<f32>, d2: mat4x4<f32>, d3: mat4x4<f32>,
  d4: mat4x4<f32>, d5: mat4x4<f32>, d6: mat4x4<f32>, d7: mat4x4<f32>,
}

// who: the lane and the lane group.
fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let m = tile_m + who.y * ROWS;
  let n0 = tile_n + who.x * 4u;
  let n1 = n0 + LANES * 4u;
  let b_n0 = index_or_zero(n0, p.n);
  let b_n1 = index_or_zero(n1, p.n);
  var t: Tile;
  for (var i = 0u; i < MAX_BLOCKS; i++) {
    let k = 4u * i;
    if (k >= p.k) { break; }
    let b0 = b_block(p, k, b_n0);
    var b1: mat4x4<f32>;
    if (WIDE) { b1 = b_block(p, k, b_n1); }
    if (ROWS > 0u) {
      let a0 = a_block(p, m, k, 0u, who.x);
      t.c0 += b0 * a0;
      if (WIDE) { t.d0 += b1 * a0; }
    }
    if (ROWS > 4u) {
      let a1 = a_block(p, m, k, 1u, who.x);
      t.c1 += b0 * a1;
      if (WIDE) { t.d1 += b1 * a1; }
    }
    if (ROWS > 8u) {
      let a2 = a_block(p, m, k, 2u, who.x);
      t.c2 += b0 * a2;
      if (WIDE) { t.d2 += b1 * a2; }
    }
    if (ROWS > 12u) {
      let a3 = a_block(p, m, k, 3u, who.x);
      t.c3 += b0 * a3;
      if (WIDE) { t.d3 += b1 * a3; }
    }
    if (ROWS > 16u) {
      let a4 = a_block(p, m, k, 4u, who.x);
      t.c4 += b0 * a4;
      if (WIDE) { t.d4 += b1 * a4; }
    }
    if (ROWS > 20u) {
      let a5 = a_block(p, m, k, 5u, who.x);
      t.c5 += b0 * a5;
      if (WIDE) { t.d5 += b1 * a5; }
    }
    if (ROWS > 24u) {
      let a6 = a_block(p, m, k, 6u, who.x);
      t.c6 += b0 * a6;
      if (WIDE) { t.d6 += b1 * a6; }
    }
    if (ROWS > 28u) {
      let a7 = a_block(p, m, k, 7u, who.x);
      t.c7 += b0 * a7;
      if (WIDE) { t.d7 += b1 * a7; }
    }
  }
  store_tile(p, m, n0, n1, t);
}

// Loops, since the code of the epilogue times ROWS would be most of the kernel. Rows without functions have a
// loop of their own: software adapters execute the code of branches that are not taken, but run the body of a
// loop of 0 iterations only once.
fn store_tile(p: Product, m: u32, n0: u32, n1: u32, t: Tile) {
  if (m >= p.m || n0 >= p.n) { return; }
  var blocks = array(
    t.c0, t.c1, t.c2, t.c3, t.c4, t.c5, t.c6, t.c7, t.d0, t.d1, t.d2, t.d3, t.d4, t.d5, t.d6, t.d7);
  let rows = min(ROWS, p.m - m);
  let two = WIDE && n1 < p.n;
  let function_rows = select(0u, rows, has_nonlinear_epilogue(p));
  let plain_rows = rows - function_rows;
  for (var s = 0u; s < function_rows; s++) {
    store_function_row(p, m + s, n0, p.n - n0, blocks[s >> 2u][s & 3u]);
    if (two) { store_function_row(p, m + s, n1, p.n - n1, blocks[8u + (s >> 2u)][s & 3u]); }
  }
  for (var s = 0u; s < plain_rows; s++) {
    store_plain_row(p, m + s, n0, p.n - n0, blocks[s >> 2u][s & 3u]);
    if (two) { store_plain_row(p, m + s, n1, p.n - n1, blocks[8u + (s >> 2u)][s & 3u]); }
  }
}

// 4x4 block i of A from row m, column k.
@if(subgroups) fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let eight = LANES == 8u; // the lanes read 8 rows at once, for blocks i and i + 1
  let rows = a_vec(p, m + 4u * select(i, i & ~1u, eight) + (lane & 4u), k, lane & 3u);
  if (eight && (i & 1u) == 1u) { return transpose_if(p.form == TN, last_lanes(rows)); }
  return transpose_if(p.form == TN, first_lanes(rows));
}
@else fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let top = m + 4u * i;
  return transpose_if(p.form == TN,
    mat4x4(a_vec(p, top, k, 0u), a_vec(p, top, k, 1u), a_vec(p, top, k, 2u), a_vec(p, top, k, 3u)));
}

@if(subgroups) fn first_lanes(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(
    subgroupBroadcast(v, 0u), subgroupBroadcast(v, 1u), subgroupBroadcast(v, 2u), subgroupBroadcast(v, 3u));
}

@if(subgroups) fn last_lanes(v: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(
    subgroupBroadcast(v, 4u), subgroupBroadcast(v, 5u), subgroupBroadcast(v, 6u), subgroupBroadcast(v, 7u));
}
