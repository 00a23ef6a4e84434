// Matrix product by register tiling, for devices on which barriers are slow: C[m,n] = Σ_k A[m,k]·B[k,n]. A thread
// computes ROWS rows and 4 (WIDE: 8) columns of C. LANES threads next to each other share rows; a workgroup has
// LANE_GROUPS groups of them, one below the other. No workgroup memory, no barriers. The 4x4 blocks of C are in registers,
// since the loader unrolls the loop over them (src/gpu/unroll.ts).
//
// In the variant `subgroups`, for devices on which reads are slow, a workgroup is LANES threads, one subgroup. Each reads
// some rows of A and broadcasts them, so that a number of A is read once per LANES * 4 (WIDE: 8) columns. LANES is 4 or 8
// and at most the minimum subgroup size.
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

// who: the lane and the lane group.
fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let m = tile_m + who.y * ROWS;
  let n0 = tile_n + who.x * 4u;
  let n1 = n0 + LANES * 4u;
  let b_n0 = inside(n0, p.n);
  let b_n1 = inside(n1, p.n);
  var c: array<mat4x4<f32>, 8>; // blocks of the columns from n0 on
  var d: array<mat4x4<f32>, 8>; // WIDE: and of those from n1 on
  for (var k = 0u; k < p.k; k += 4u) {
    let b0 = b_block(p, k, b_n0);
    var b1: mat4x4<f32>;
    if (WIDE) { b1 = b_block(p, k, b_n1); }
    // unroll
    for (var i = 0u; i < 8u; i++) {
      if (ROWS > 4u * i) {
        let rows = a_block(p, m, k, i, who.x);
        c[i] += b0 * rows;
        if (WIDE) { d[i] += b1 * rows; }
      }
    }
  }
  store_tile(p, m, n0, n1, c, d);
}

// A loop, since the code of the epilogue times ROWS would be most of the kernel. The bound is ROWS, but compilers do
// not know that and so do not unroll it.
fn store_tile(p: Product, m: u32, n0: u32, n1: u32, c: array<mat4x4<f32>, 8>, d: array<mat4x4<f32>, 8>) {
  var left = c;
  var right = d;
  for (var s = 0u; s < min(ROWS, params.k_total); s++) {
    store_row(p, m + s, n0, p.n - n0, left[s >> 2u][s & 3u]);
    if (WIDE) { store_row(p, m + s, n1, p.n - n1, right[s >> 2u][s & 3u]); }
  }
}

// 4x4 block i of A from row m, column k.
@if(subgroups) fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let eight = LANES == 8u; // the lanes read 8 rows at once, for blocks i and i + 1
  let rows = a_vec(p, m + 4u * select(i, i & ~1u, eight) + (lane & 4u), k, lane & 3u);
  if (eight && (i & 1u) == 1u) { return upright(p.form == TN, last_lanes(rows)); }
  return upright(p.form == TN, first_lanes(rows));
}
@else fn a_block(p: Product, m: u32, k: u32, i: u32, lane: u32) -> mat4x4<f32> {
  let top = m + 4u * i;
  return upright(p.form == TN,
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
