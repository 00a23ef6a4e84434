// Subgroup matrices: the threads of a subgroup hold a matrix together, and the matrix units of the GPU
// multiply them. All threads of a subgroup must call these functions. tests/support/emulated-matrix.wgsl is
// the same by loops. A kernel that includes it defines
//   LANES                          threads of a subgroup, THREADS of a workgroup
//   ACROSS                         subgroups side by side, each with DOWN x WIDE matrices of C
//   MATRIX_M, MATRIX_N, MATRIX_K   a configuration of the device
//   a_tile, b_tile                 blocks of MATRIX_M rows of A, of MATRIX_N columns of B, PITCH vectors from one row or
//                                  column to the next; in workgroup memory
//   c_tile                         a matrix of C of each subgroup
//
// A block is an array of constant length, and the bounds of its index fold once functions are inlined: no
// access is checked. Vectors tell compilers how the tiles are aligned. Offsets and strides are in vectors.

enable subgroups;
enable chromium_experimental_subgroup_matrix;
diagnostic(off, chromium.subgroup_matrix_uniformity);

// The type arguments are the type, the columns and the rows.
alias Left = subgroup_matrix_left<StagedNumber, MATRIX_K, MATRIX_M>;
alias Right = subgroup_matrix_right<StagedNumber, MATRIX_N, MATRIX_K>;
alias Sums = subgroup_matrix_result<f32, MATRIX_N, MATRIX_M>;

// The rows of the i-th block of A of the subgroup of a thread, from k on.
fn load_left(thread: u32, i: u32, k: u32) -> Left {
  let block = min(thread, THREADS - 1u) / LANES / ACROSS * DOWN + min(i, DOWN - 1u);
  return subgroupMatrixLoad<Left, row_major>(&a_tile[block], k / 4u, PITCH);
}

// The columns of the i-th block of B of the subgroup of a thread, from k on.
fn load_right(thread: u32, i: u32, k: u32) -> Right {
  let block = thread / LANES % ACROSS * WIDE + min(i, WIDE - 1u);
  return subgroupMatrixLoad<Right, col_major>(&b_tile[block], k / 4u, PITCH);
}

// sums + left · right
fn multiply_add(left: Left, right: Right, sums: Sums) -> Sums {
  return subgroupMatrixMultiplyAccumulate(left, right, sums);
}

// Stores the rows of a matrix, one after the other, in the part of c_tile of the subgroup of a thread.
fn store_sums(thread: u32, sums: Sums) {
  subgroupMatrixStore<row_major>(&c_tile[min(thread, THREADS - 1u) / LANES], 0u, sums, MATRIX_N / 4u);
}
