// Naive matrix product: C[m,n] = Σ_k A[m,k]·B[k,n], one thread per four numbers of a row of C, operands read
// one number at a time. Other kernels of the family:
//   matmul-tiled       tiles in workgroup memory; the fastest on GPUs without subgroup matrices
//   matmul-matrix      the same by subgroup matrices, the matrix units of GPUs
//   matmul-registers   register tiling only, for devices on which barriers are slow; in its variant `subgroups` rows of A
//                      are shared by subgroup broadcasts, the fastest on software adapters
//   matmul-dots        few rows of C; the threads of a workgroup split K between them
// Here is also `combine`, the second pass of split-K: C = the sum of the slices in order, and the epilogue. A
// holds the slices [params.k, M, lda]; one thread per four numbers of a row of C.
// include shared/kernel.wgsl
// include matmul/linear-backward.wgsl

const SIDE: u32 = 8u;
const THREADS_X: u32 = SIDE;
const THREADS_Y: u32 = SIDE;
const TILE_ROWS: u32 = SIDE;
const TILE_COLUMNS: u32 = 4u * SIDE;

fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let m = tile_m + who.y;
  let n = tile_n + 4u * who.x;
  if (m >= p.m || n >= p.n) { return; }
  let columns = min(vec4(n) + OFFSETS, vec4(p.n - 1u));
  var sums: vec4<f32>;
  for (var k = 0u; k < p.k; k++) {
    let row = vec4(b_element(p, k, columns.x), b_element(p, k, columns.y), b_element(p, k, columns.z),
      b_element(p, k, columns.w));
    sums += a_element(p, m, k) * row;
  }
  store_row(p, m, n, p.n - n, sums);
}

fn a_element(p: Product, m: u32, k: u32) -> f32 {
  let i = p.a0 + select(m * params.lda + k, k * params.lda + m, p.form == TN);
  return a[i >> 2u][i & 3u];
}

fn b_element(p: Product, k: u32, n: u32) -> f32 {
  let i = p.b0 + select(k * params.ldb + n, n * params.ldb + k, p.form == NT);
  if (p.purpose == DW) { return bias[i >> 2u][i & 3u]; }
  return b[i >> 2u][i & 3u];
}

fn combine_row(purpose: u32, thread: Thread) {
  let fours = (params.n + 3u) / 4u;
  let i = group_index(thread) * 64u + thread.index;
  let m = i / fours;
  let n = (i % fours) * 4u;
  if (m >= params.m) { return; }
  var sum: vec4<f32>;
  for (var s = 0u; s < params.k; s++) {
    sum += a_four((s * params.m + m) * params.lda + n, params.n - n);
  }
  store_row(plain_product(purpose, 0u), m, n, params.n - n, sum);
}

@compute @workgroup_size(64)
fn combine(thread: Thread) {
  combine_row(PLAIN, thread);
}

@compute @workgroup_size(64)
fn combine_kept(thread: Thread) {
  combine_row(KEPT, thread);
}
