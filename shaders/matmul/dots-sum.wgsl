// The sums of a product with few rows: ROWS x COLUMNS numbers by 64 threads; LANES of them share K and four
// columns.

const ROWS: u32 = 4u; // 1, 4, 8 or 16
const COLUMNS: u32 = 16u;
const LANES: u32 = 16u;
const THREADS: u32 = 64u;

var<workgroup> shares: array<array<vec4<f32>, 4>, THREADS>;
var<workgroup> quarters: array<vec4<f32>, THREADS>;

// Adds up the shares of the threads, each four rows of its four columns. Returns to thread 4c + r of the
// first LANES threads row r of columns 4c .. 4c + 3. All threads of the workgroup must call it.
fn dots_sum(share: array<vec4<f32>, 4>, thread: u32) -> vec4<f32> {
  shares[thread] = share;
  workgroupBarrier();
  // Thread 16q + 4c + r adds the shares of a quarter of the lanes.
  let first = thread % LANES / 4u * LANES + thread / LANES * 4u;
  let row = thread % 4u;
  quarters[thread] = (shares[first][row] + shares[first + 1u][row]) + (shares[first + 2u][row] + shares[first + 3u][row]);
  workgroupBarrier();
  let at = thread % LANES;
  return (quarters[at] + quarters[LANES + at]) + (quarters[2u * LANES + at] + quarters[3u * LANES + at]);
}
