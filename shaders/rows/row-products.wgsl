// Products of TILE whole rows by one workgroup, for linear-add-norm.wgsl: 64 threads across, each with BLOCKS vectors
// of four rows, and 4 down. Tiles of the rows and of the matrix are staged DEPTH deep, transposed.
// part of rows/linear-add-norm.wgsl

const TILE: u32 = 16u;
const ACROSS: u32 = 64u;
// Vectors of four columns per thread: D is at most 256 · BLOCKS.
const BLOCKS: u32 = 1u;
const DEPTH: u32 = 8u;
const THREADS: u32 = 256u;
const WIDTH: u32 = ACROSS * BLOCKS; // vectors of a row

// [k, row / 4] and [k, column / 4]; b_tile also exchanges the sums of rows.
var<workgroup> a_tile: array<vec4<f32>, DEPTH * TILE / 4u>;
var<workgroup> b_tile: array<vec4<f32>, DEPTH * WIDTH>;

// Sums of four rows over the threads across, returned to all of them. All threads must call it.
fn across_sum(value: vec4<f32>, thread: u32) -> vec4<f32> {
  let t = min(thread, THREADS - 1u);
  b_tile[t] = value;
  workgroupBarrier();
  for (var stride = ACROSS / 2u; stride > 0u; stride /= 2u) {
    if (t % ACROSS < stride) { b_tile[t] += b_tile[t + stride]; }
    workgroupBarrier();
  }
  let total = b_tile[t / ACROSS * ACROSS];
  workgroupBarrier();
  return total;
}

// Numbers of a thread: row r of block n has those of row 4 · down + r in columns 4 · (across + n · ACROSS).
alias Sums = array<mat4x4<f32>, BLOCKS>;

// The product of the rows from `first` on, of x or of y, with the rows of a matrix from `column` on, of `columns`. All
// threads must call it.
@each(x, y)
fn product_of_EACH(first: u32, at: u32, inner: u32, column: u32, columns: u32, thread: u32) -> Sums {
  let across = thread % ACROSS;
  let down = thread / ACROSS;
  var sums: Sums;
  for (var k = 0u; k < inner; k += DEPTH / 4u) {
    // A vector along k of the rows, and BLOCKS · DEPTH / 4 of the matrix.
    if (thread < TILE * DEPTH / 4u) {
      let row = thread % TILE;
      let part = thread / TILE;
      let v = EACH[min(first + row, params.rows - 1u) * inner + k + part];
      for (var i = 0u; i < 4u; i++) { a_tile[(4u * part + i) * (TILE / 4u) + row / 4u][row % 4u] = v[i]; }
    }
    for (var n = 0u; n < BLOCKS * DEPTH / 4u; n++) {
      let e = thread + n * THREADS;
      let own = e % (4u * WIDTH);
      let part = e / (4u * WIDTH);
      let v = matrices[at + min(column + own, columns - 1u) * inner + k + part];
      for (var i = 0u; i < 4u; i++) { b_tile[(4u * part + i) * WIDTH + own / 4u][own % 4u] = v[i]; }
    }
    workgroupBarrier();
    for (var i = 0u; i < DEPTH; i++) {
      let a = a_tile[i * (TILE / 4u) + down];
      for (var n = 0u; n < BLOCKS; n++) {
        let b = b_tile[i * WIDTH + across + n * ACROSS];
        sums[n] += mat4x4(a.x * b, a.y * b, a.z * b, a.w * b);
      }
    }
    workgroupBarrier();
  }
  return sums;
}
