// Replaces shaders/matmul/subgroup-matrix.wgsl by loops, for adapters without subgroup matrices. An operand
// is an offset in workgroup memory. A matrix of sums is distributed over the threads of a subgroup: thread t
// has the elements t + LANES * i.

const HELD: u32 = MATRIX_SIZE / LANES;
struct Left { block: u32, k: u32, lane: u32 }
struct Right { block: u32, k: u32 }
struct Sums { numbers: array<f32, HELD> }

fn load_left(thread: u32, i: u32, k: u32) -> Left {
  return Left(thread / LANES / ACROSS * DOWN + i, k, thread % LANES);
}

fn load_right(thread: u32, i: u32, k: u32) -> Right {
  return Right(thread / LANES % ACROSS * WIDE + i, k);
}

fn multiply_add(left: Left, right: Right, sums: Sums) -> Sums {
  var c = sums;
  // The bound equals MATRIX_K, but is not constant for compilers, so they do not unroll the loop.
  for (var k = 0u; k < min(MATRIX_K, params.k_total); k++) {
    let at = (left.k + k) / 4u;
    // unroll
    for (var i = 0u; i < HELD; i++) {
      let m = (left.lane + LANES * i) / MATRIX_N;
      let n = (left.lane + LANES * i) % MATRIX_N;
      c.numbers[i] += f32(a_tile[left.block][m * PITCH + at][k % 4u]) * f32(b_tile[right.block][n * PITCH + at][k % 4u]);
    }
  }
  return c;
}

fn store_sums(thread: u32, sums: Sums) {
  // unroll
  for (var i = 0u; i < HELD; i++) {
    let at = thread % LANES + LANES * i;
    c_tile[thread / LANES][at / 4u][at % 4u] = sums.numbers[i];
  }
}
