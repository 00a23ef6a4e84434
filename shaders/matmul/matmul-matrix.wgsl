// Matrix product by the matrix units of GPUs: C[m,n] = Σ_k A[m,k]·B[k,n]. A workgroup computes SIZE x SIZE
// numbers of C from tiles of A and B in workgroup memory that are DEPTH deep. Each of its subgroups computes
// DOWN x WIDE matrices of MATRIX_M x MATRIX_N of them.
//
// In each round a thread stages a 4x4 block of A and one of B. K is contiguous in workgroup memory, as matrix
// units want it: a_tile[m][k], b_tile[n][k]; a block that has m or n contiguous is transposed in registers.
// Threads next to each other stage blocks along k, and a row has 16 bytes of padding, both against bank
// conflicts. Running indices replace address arithmetic; rows and columns past the edges are clamped.
//
// After the loop the matrices of C go through workgroup memory to the epilogue, one of each subgroup at a
// time. The variant `f16` is for operands stored as f16: tiles are f16, sums are f32.
@if(f16) enable f16;
// include matmul/linear-backward.wgsl
// include matmul/subgroup-matrix.wgsl

const SIZE: u32 = 64u;
const DEPTH: u32 = 32u; // a multiple of MATRIX_K
const LANES: u32 = 32u; // threads of a subgroup
const ACROSS: u32 = 2u; // subgroups side by side
const MATRIX_M: u32 = 16u;
const MATRIX_N: u32 = 16u;
const MATRIX_K: u32 = 16u;
const PITCH: u32 = 10u; // vectors from one row to the next: DEPTH / 4 and 16 bytes

const THREADS: u32 = SIZE * DEPTH / 16u;
const SUBGROUPS: u32 = THREADS / LANES;
const TILE_ROWS: u32 = SIZE;
const TILE_COLUMNS: u32 = SIZE;
const THREADS_X: u32 = THREADS;
const THREADS_Y: u32 = 1u;
const DOWN: u32 = SIZE / (SUBGROUPS / ACROSS) / MATRIX_M; // matrices of a subgroup
const WIDE: u32 = SIZE / ACROSS / MATRIX_N;
const MATRICES: u32 = DOWN * WIDE;
const MATRIX_SIZE: u32 = MATRIX_M * MATRIX_N;
const DEPTH_VECS: u32 = DEPTH / 4u; // vectors along k

// Numbers of operands in workgroup memory.
@if(f16) alias StagedNumber = f16;
@else alias StagedNumber = f32;
alias Staged = vec4<StagedNumber>;

var<workgroup> a_tile: array<array<Staged, MATRIX_M * PITCH>, SIZE / MATRIX_M>;
var<workgroup> b_tile: array<array<Staged, MATRIX_N * PITCH>, SIZE / MATRIX_N>;
var<workgroup> c_tile: array<array<vec4<f32>, MATRIX_SIZE / 4u>, SUBGROUPS>;

// Indices of the four vectors of a block at row i, column k of an operand with `count` rows. With `across`,
// the operand is stored transposed, with m or n contiguous.
fn block_at(i: u32, count: u32, k: u32, pitch: u32, across: bool) -> vec4<u32> {
  return select(min(vec4(i) + OFFSETS, vec4(count - 1u)) * pitch + k, (vec4(k) + OFFSETS) * pitch + index_or_zero(i, count),
    vec4(across));
}

// The four vectors of a block of A, of which the first `left` numbers exist.
fn a_block(at: vec4<u32>, left: u32) -> mat4x4<f32> {
  if (A_VECTORS) { return mat4x4(a[at.x], a[at.y], a[at.z], a[at.w]); }
  return mat4x4(a_four(at.x, left), a_four(at.y, left), a_four(at.z, left), a_four(at.w, left));
}

fn b_vectors(p: Product, at: vec4<u32>, left: u32) -> mat4x4<f32> {
  if (!B_VECTORS) { return mat4x4(b_four(p, at.x, left), b_four(p, at.y, left), b_four(p, at.z, left), b_four(p, at.w, left)); }
  if (p.purpose == DW) { return mat4x4(bias[at.x], bias[at.y], bias[at.z], bias[at.w]); }
  return mat4x4(b[at.x], b[at.y], b[at.z], b[at.w]);
}

// The block as rows along k; those past the last are 0.
fn block_rows(block: mat4x4<f32>, across: bool, left: vec4<bool>) -> mat4x4<f32> {
  let rows = transpose_if(across, block);
  if (!K_TAIL) { return rows; }
  let zero = vec4<f32>();
  return mat4x4(
    select(zero, rows[0], left), select(zero, rows[1], left), select(zero, rows[2], left), select(zero, rows[3], left));
}

fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let thread = min(who.x, THREADS - 1u); // the bound lets Tint prove indices
  let a_across = p.form == TN;
  let b_across = p.form != NT;
  // The 4x4 block that the thread stages, in fours, and the running indices of its vectors.
  let row = thread / DEPTH_VECS;
  let column = thread % DEPTH_VECS;
  let m = tile_m + 4u * row;
  let n = tile_n + 4u * row;
  var k = 4u * column;
  var a_at = p.a0 + block_at(m, p.m, k, params.lda, a_across);
  var b_at = p.b0 + block_at(n, p.n, k, params.ldb, b_across);
  var a_step = select(DEPTH, DEPTH * params.lda, a_across);
  var b_step = select(DEPTH, DEPTH * params.ldb, b_across);
  if (A_VECTORS) { a_at >>= vec4(2u); a_step >>= 2u; }
  if (B_VECTORS) { b_at >>= vec4(2u); b_step >>= 2u; }

  var sums: array<Sums, MATRICES>;
  let rounds = (p.k + DEPTH - 1u) / DEPTH;
  for (var round = 0u; round < rounds; round++) {
    let in_k = vec4(k) + OFFSETS < vec4(p.k);
    let a_rows = block_rows(a_block(a_at, select(p.k - k, p.m - m, a_across)), a_across, in_k);
    let b_rows = block_rows(b_vectors(p, b_at, select(p.k - k, p.n - n, b_across)), b_across, in_k);
    k += DEPTH;
    a_at += a_step;
    b_at += b_step;
    // unroll
    for (var s = 0u; s < 4u; s++) {
      a_tile[row / (MATRIX_M / 4u)][(row % (MATRIX_M / 4u) * 4u + s) * PITCH + column] = Staged(a_rows[s]);
      b_tile[row / (MATRIX_N / 4u)][(row % (MATRIX_N / 4u) * 4u + s) * PITCH + column] = Staged(b_rows[s]);
    }
    workgroupBarrier();
    // unroll
    for (var step_k = 0u; step_k < DEPTH; step_k += MATRIX_K) {
      var left_matrices: array<Left, DOWN>;
      // unroll
      for (var i = 0u; i < DOWN; i++) { left_matrices[i] = load_left(thread, i, step_k); }
      // unroll
      for (var j = 0u; j < WIDE; j++) {
        let right = load_right(thread, j, step_k);
        // unroll
        for (var d = 0u; d < DOWN; d++) {
          sums[d * WIDE + j] = multiply_add(left_matrices[d], right, sums[d * WIDE + j]);
        }
      }
    }
    workgroupBarrier();
  }

  let subgroup = thread / LANES;
  // A loop, since the code of the epilogue times MATRICES would be most of the kernel. The bound is MATRICES,
  // but compilers do not know that and so do not unroll it.
  for (var matrix = 0u; matrix < min(MATRICES, params.k_total); matrix++) {
    // unroll
    for (var s = 0u; s < MATRICES; s++) {
      if (matrix == s) { store_sums(thread, sums[s]); }
    }
    workgroupBarrier();
    let c_m = tile_m + (subgroup / ACROSS * DOWN + matrix / WIDE) * MATRIX_M;
    let c_n = tile_n + (subgroup % ACROSS * WIDE + matrix % WIDE) * MATRIX_N;
    for (var v = thread % LANES; v < MATRIX_SIZE / 4u; v += LANES) {
      let at_n = c_n + 4u * v % MATRIX_N;
      store_row(p, c_m + 4u * v / MATRIX_N, at_n, p.n - at_n, c_tile[subgroup][v]);
    }
    workgroupBarrier();
  }
}
