// A product of few rows: 64 threads make 4x4 numbers of C, each from some of K, and add up in workgroup memory. For decoding, where
// C has too few rows to keep a GPU busy otherwise.
// include lib/matmul-grid.wgsl

const THREADS: u32 = 64u;
var<workgroup> sums: array<mat4x4<f32>, THREADS>;

fn tile_rows() -> u32 {
  return 4u;
}

fn tile_columns() -> u32 {
  return 4u;
}

fn threads() -> u32 {
  return THREADS;
}

// who: the thread.
fn tile(p: Product, m: u32, n: u32, who: vec2<u32>) {
  var sum: mat4x4<f32>;
  for (var k = 4u * who.x; k < p.k; k += 4u * THREADS) {
    let block = upright(p.form == TN,
      mat4x4(a_part(p, m, k, 0u), a_part(p, m, k, 1u), a_part(p, m, k, 2u), a_part(p, m, k, 3u)));
    sum += b_block(p, k, n) * block;
  }
  sums[who.x] = sum;
  for (var half = THREADS / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (who.x < half) { sums[who.x] += sums[who.x + half]; }
  }
  workgroupBarrier();
  if (who.x < 4u) { store_row(p, m + who.x, n, p.n - n, sums[0][who.x]); }
}

@compute @workgroup_size(THREADS)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  plain_tile(PLAIN, group, vec2(thread, 0u));
}

@compute @workgroup_size(THREADS)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  plain_tile(KEPT, group, vec2(thread, 0u));
}
