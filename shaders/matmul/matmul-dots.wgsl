// Matrix product with few rows, for decoding: C[m,n] = Σ_k A[m,k]·B[k,n]. A workgroup of 64 threads computes 4x4
// numbers of C: each thread a slice of K, then a tree reduction in workgroup memory. Other kernels would leave most of
// a GPU idle.
// include matmul/matmul-grid.wgsl
// include matmul/matmul-output-vec4.wgsl | scalar: matmul/matmul-output-scalar.wgsl

const THREADS: u32 = 64u;
const TILE_ROWS: u32 = 4u;
const TILE_COLUMNS: u32 = 4u;
var<workgroup> sums: array<mat4x4<f32>, THREADS>;

// who: the index of the thread, 0.
fn tile(p: Product, m: u32, n: u32, who: vec2<u32>) {
  var sum: mat4x4<f32>;
  for (var k = 4u * who.x; k < p.k; k += 4u * THREADS) {
    let block = upright(p.form == TN,
      mat4x4(a_vec(p, m, k, 0u), a_vec(p, m, k, 1u), a_vec(p, m, k, 2u), a_vec(p, m, k, 3u)));
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
