// Matrix product with few rows, for decoding: C[m,n] = Σ_k A[m,k]·B[n,k] (NT). Other kernels would leave most
// of a GPU idle. A workgroup computes ROWS x 16 numbers of C, all rows if there are at most ROWS, so that B
// is read once: LANES threads split K between them for four columns, and add up their partial sums in
// workgroup memory.
// include matmul/matmul-grid.wgsl
// include matmul/dots-sum.wgsl

const TILE_ROWS: u32 = ROWS;
const TILE_COLUMNS: u32 = COLUMNS;
const THREADS_X: u32 = THREADS;
const THREADS_Y: u32 = 1u;

fn tile(p: Product, m: u32, tile_n: u32, who: vec2<u32>) {
  let thread = who.x;
  let lane = thread % LANES;
  let n = tile_n + thread / LANES * 4u;
  var sums: array<vec4<f32>, ROWS>; // of four columns each
  if (A_VECTORS && B_VECTORS) {
    // Running indices of the vectors of each row of A and B.
    var a_at: array<u32, ROWS>;
    var b_at: array<u32, 4>;
    // unroll
    for (var r = 0u; r < ROWS; r++) { a_at[r] = ((p.a0 + min(m + r, p.m - 1u) * params.lda) >> 2u) + lane; }
    // unroll
    for (var s = 0u; s < 4u; s++) { b_at[s] = ((p.b0 + min(n + s, p.n - 1u) * params.ldb) >> 2u) + lane; }
    for (var k = 4u * lane; k < p.k; k += 4u * LANES) {
      let w = transpose(mat4x4(b[b_at[0]], b[b_at[1]], b[b_at[2]], b[b_at[3]]));
      // unroll
      for (var r = 0u; r < ROWS; r++) {
        let v = a[a_at[r]];
        sums[r] += w[0] * v.x;
        sums[r] += w[1] * v.y;
        sums[r] += w[2] * v.z;
        sums[r] += w[3] * v.w;
        a_at[r] += LANES;
      }
      // unroll
      for (var s = 0u; s < 4u; s++) { b_at[s] += LANES; }
    }
  } else {
    for (var k = 4u * lane; k < p.k; k += 4u * LANES) {
      let w = b_block(p, k, n);
      // unroll
      for (var r = 0u; r < ROWS; r++) { sums[r] += w * a_vec(p, m, k, r); }
    }
  }
  // unroll
  for (var r = 0u; r < ROWS; r += 4u) {
    let total = dots_sum(array(sums[r], sums[min(r + 1u, ROWS - 1u)], sums[min(r + 2u, ROWS - 1u)], sums[min(r + 3u, ROWS - 1u)]), thread);
    let row = m + r + thread % 4u;
    let column = tile_n + column_of_dots(thread);
    if (stores_dots(thread) && r + thread % 4u < ROWS) { store_row(p, row, column, p.n - column, total); }
  }
}
