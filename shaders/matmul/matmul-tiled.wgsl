// Matrix product by tiles in workgroup memory, for GPUs: C[m,n] = Σ_k A[m,k]·B[k,n] (CUTLASS, "Efficient GEMM in
// CUDA"). 16x16 threads compute 64x64 numbers of C (TALL: 128 rows, WIDE: 128 columns), 4x4 to 8x8 per thread, from
// tiles of A and B that are DEPTH deep: each number is read from memory once per 64 (128) rows or columns.
// include matmul/matmul-grid.wgsl
// include matmul/matmul-output-vec4.wgsl | scalar: matmul/matmul-output-scalar.wgsl

override TALL: bool = false;
override WIDE: bool = false;
override DEPTH: u32 = 16u;
const SIDE: u32 = 16u;
const SPAN: u32 = 64u; // rows, and columns, that one 4x4 block per thread covers
override A_PITCH: u32 = select(SPAN, 2u * SPAN, TALL) / 4u + 1u; // vectors from one k to the next; + 1 avoids bank conflicts
override B_PITCH: u32 = select(SPAN, 2u * SPAN, WIDE) / 4u + 1u;
// Sizes have names of their own: naga (Firefox, Deno) panics at a workgroup array whose size is an override expression.
override A_SIZE: u32 = DEPTH * A_PITCH;
override B_SIZE: u32 = DEPTH * B_PITCH;
var<workgroup> a_tile: array<vec4<f32>, A_SIZE>; // [k, m]
var<workgroup> b_tile: array<vec4<f32>, B_SIZE>; // [k, n]

fn tile_rows() -> u32 {
  return 4u * (A_PITCH - 1u);
}

fn tile_columns() -> u32 {
  return 4u * (B_PITCH - 1u);
}

fn threads() -> u32 {
  return SIDE * SIDE;
}

// Loads the tiles: each thread at most one 4x4 block, transposed so that its vectors are along m or n; first blocks of
// A, then of B.
fn fill(p: Product, m: u32, n: u32, k: u32, thread: u32) {
  let deep = DEPTH / 4u;
  let of_a = tile_rows() / 4u * deep;
  if (thread < of_a) {
    let at = vec2(thread / deep, 4u * (thread % deep)); // vector along m, k
    let columns = a_columns(p, m + 4u * at.x, k + at.y);
    let to = at.y * A_PITCH + at.x;
    a_tile[to] = columns[0];
    a_tile[to + A_PITCH] = columns[1];
    a_tile[to + 2u * A_PITCH] = columns[2];
    a_tile[to + 3u * A_PITCH] = columns[3];
  } else if (thread < of_a + tile_columns() / 4u * deep) {
    let at = vec2((thread - of_a) / deep, 4u * ((thread - of_a) % deep)); // vector along n, k
    let rows = b_rows(p, k + at.y, inside(n + 4u * at.x, p.n));
    let to = at.y * B_PITCH + at.x;
    b_tile[to] = rows[0];
    b_tile[to + B_PITCH] = rows[1];
    b_tile[to + 2u * B_PITCH] = rows[2];
    b_tile[to + 3u * B_PITCH] = rows[3];
  }
}

// The 4x4 block of A at row m, column k as columns; 0 beyond K.
fn a_columns(p: Product, m: u32, k: u32) -> mat4x4<f32> {
  if (k >= p.k) { return mat4x4<f32>(); }
  return upright(p.form != TN,
    mat4x4(a_vec(p, m, k, 0u), a_vec(p, m, k, 1u), a_vec(p, m, k, 2u), a_vec(p, m, k, 3u)));
}

fn b_rows(p: Product, k: u32, n: u32) -> mat4x4<f32> {
  if (k >= p.k) { return mat4x4<f32>(); }
  return b_block(p, k, n);
}

fn outer(column: vec4<f32>, row: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(column.x * row, column.y * row, column.z * row, column.w * row);
}

// who: position of the thread in the workgroup, [column, row].
fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let thread = who.y * SIDE + who.x;
  var c00: mat4x4<f32>;
  var c01: mat4x4<f32>;
  var c10: mat4x4<f32>;
  var c11: mat4x4<f32>;
  for (var k = 0u; k < p.k; k += DEPTH) {
    fill(p, tile_m, tile_n, k, thread);
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let a0 = a_tile[i * A_PITCH + who.y];
      let b0 = b_tile[i * B_PITCH + who.x];
      c00 += outer(a0, b0);
      if (WIDE) { c01 += outer(a0, b_tile[i * B_PITCH + who.x + SPAN / 4u]); }
      if (TALL) {
        let a1 = a_tile[i * A_PITCH + who.y + SPAN / 4u];
        c10 += outer(a1, b0);
        if (WIDE) { c11 += outer(a1, b_tile[i * B_PITCH + who.x + SPAN / 4u]); }
      }
    }
    workgroupBarrier();
  }
  let m = 4u * who.y;
  let n = 4u * who.x;
  store_block(p, tile_m + m, tile_n + n, c00);
  if (WIDE) { store_block(p, tile_m + m, tile_n + n + SPAN, c01); }
  if (TALL) {
    store_block(p, tile_m + m + SPAN, tile_n + n, c10);
    if (WIDE) { store_block(p, tile_m + m + SPAN, tile_n + n + SPAN, c11); }
  }
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(PLAIN, group, who.xy);
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(KEPT, group, who.xy);
}

@compute @workgroup_size(SIDE, SIDE)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) who: vec3<u32>,
) {
  backward_tile(group, groups, who.y * SIDE + who.x, who.xy);
}
