// A product in tiles in workgroup memory: 16x16 threads make 64x64 numbers of C (TALL: 128 rows, WIDE: 128 columns), 4x4 (to 8x8)
// each, from tiles of A and B DEPTH deep. For GPUs: each number is read from memory once for 64 (128) rows or columns.
// include lib/matmul-grid.wgsl

override TALL: bool = false;
override WIDE: bool = false;
override DEPTH: u32 = 16u;
const SIDE: u32 = 16u;
const HALF: u32 = 64u; // rows, or columns, of one 4x4 block of each thread
override A_PITCH: u32 = select(HALF, 2u * HALF, TALL) + 4u; // from one k to the next; the 4 are against bank conflicts
override B_PITCH: u32 = select(HALF, 2u * HALF, WIDE) + 4u;
var<workgroup> a_tile: array<f32, DEPTH * A_PITCH>; // [k, m]
var<workgroup> b_tile: array<f32, DEPTH * B_PITCH>; // [k, n]

fn tile_rows() -> u32 {
  return A_PITCH - 4u;
}

fn tile_columns() -> u32 {
  return B_PITCH - 4u;
}

fn threads() -> u32 {
  return SIDE * SIDE;
}

// The threads read vectors along the contiguous axis of the operand in memory.
fn fill_a(p: Product, m: u32, k: u32, thread: u32) {
  for (var i = thread; i < tile_rows() * DEPTH / 4u; i += threads()) {
    var at = vec2(i / (DEPTH / 4u), i % (DEPTH / 4u) * 4u); // m, k
    if (p.form == TN) { at = vec2(i % (tile_rows() / 4u) * 4u, i / (tile_rows() / 4u)); }
    var v: vec4<f32>;
    if (k + at.y < p.k) { v = a_part(p, m + at.x, k + at.y, 0u); }
    let step = select(A_PITCH, 1u, p.form == TN);
    for (var j = 0u; j < 4u; j++) { a_tile[at.y * A_PITCH + at.x + j * step] = v[j]; }
  }
}

fn fill_b(p: Product, k: u32, n: u32, thread: u32) {
  for (var i = thread; i < tile_columns() * DEPTH / 4u; i += threads()) {
    var at = vec2(i / (tile_columns() / 4u), i % (tile_columns() / 4u) * 4u); // k, n
    if (p.form == NT) { at = vec2(i % (DEPTH / 4u) * 4u, i / (DEPTH / 4u)); }
    var v: vec4<f32>;
    if (k + at.x < p.k) { v = b_part(p, k + at.x, inside(n + at.y, p.n), 0u); }
    let step = select(1u, B_PITCH, p.form == NT);
    for (var j = 0u; j < 4u; j++) { b_tile[at.x * B_PITCH + at.y + j * step] = v[j]; }
  }
}

fn a_column(k: u32, m: u32) -> vec4<f32> {
  let i = k * A_PITCH + m;
  return vec4(a_tile[i], a_tile[i + 1u], a_tile[i + 2u], a_tile[i + 3u]);
}

fn b_row(k: u32, n: u32) -> vec4<f32> {
  let i = k * B_PITCH + n;
  return vec4(b_tile[i], b_tile[i + 1u], b_tile[i + 2u], b_tile[i + 3u]);
}

fn outer(column: vec4<f32>, row: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(column.x * row, column.y * row, column.z * row, column.w * row);
}

// who: the thread's place in the workgroup, [column, row].
fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let thread = who.y * SIDE + who.x;
  let m = 4u * who.y;
  let n = 4u * who.x;
  var c00: mat4x4<f32>;
  var c01: mat4x4<f32>;
  var c10: mat4x4<f32>;
  var c11: mat4x4<f32>;
  for (var k = 0u; k < p.k; k += DEPTH) {
    fill_a(p, tile_m, k, thread);
    fill_b(p, k, tile_n, thread);
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let a0 = a_column(i, m);
      let b0 = b_row(i, n);
      c00 += outer(a0, b0);
      if (WIDE) { c01 += outer(a0, b_row(i, n + HALF)); }
      if (TALL) {
        let a1 = a_column(i, m + HALF);
        c10 += outer(a1, b0);
        if (WIDE) { c11 += outer(a1, b_row(i, n + HALF)); }
      }
    }
    workgroupBarrier();
  }
  store_block(p, tile_m + m, tile_n + n, c00);
  if (WIDE) { store_block(p, tile_m + m, tile_n + n + HALF, c01); }
  if (TALL) {
    store_block(p, tile_m + m + HALF, tile_n + n, c10);
    if (WIDE) { store_block(p, tile_m + m + HALF, tile_n + n + HALF, c11); }
  }
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  plain_tile(PLAIN, group, thread.xy);
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) thread: vec3<u32>) {
  plain_tile(KEPT, group, thread.xy);
}

@compute @workgroup_size(SIDE, SIDE)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) thread: vec3<u32>,
) {
  backward_tile(group_index(group, groups), thread.y * SIDE + thread.x, thread.xy);
}
