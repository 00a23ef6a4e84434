// Column sums: sums[c] = sum over rows of partials[row, c]. Columns are split into equal parts, each with an output of
// its own. One thread per column.
// include shared/thread.wgsl

struct Params {
  rows: u32,
  cols: u32, // of one part
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums0: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums1: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 64u;

fn sum_of(column: u32, parts: u32) -> f32 {
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    sum += partials[row * params.cols * parts + column];
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn column_sum_1(thread: Thread) {
  let c = group_index(thread) * THREADS + thread.index;
  if (c < params.cols) {
    sums0[c] = sum_of(c, 1u);
  }
}

@compute @workgroup_size(THREADS)
fn column_sum_2(thread: Thread) {
  let c = group_index(thread) * THREADS + thread.index;
  if (c < params.cols) {
    sums0[c] = sum_of(c, 2u);
  } else if (c < 2u * params.cols) {
    sums1[c - params.cols] = sum_of(c, 2u);
  }
}
