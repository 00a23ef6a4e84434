// Column sums: sums[c] = sum over rows of partials[row, c]. Columns are split into equal parts, each with an output of
// its own. One thread per vector of columns.
// include shared/thread.wgsl
// include shared/vec4.wgsl | scalar: shared/scalar.wgsl

struct Params {
  rows: u32,
  cols: u32, // of one part
}

@group(0) @binding(0) var<storage, read> partials: array<Vec>;
@group(0) @binding(1) var<storage, read_write> sums0: array<Vec>;
@group(0) @binding(2) var<storage, read_write> sums1: array<Vec>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 64u;

// The sum of vector `column` of rows of `vecs` vectors.
fn sum_of(column: u32, vecs: u32) -> Vec {
  var sum = Vec(0.0);
  var i = column;
  for (var row = 0u; row < params.rows; row++) {
    sum += partials[i];
    i += vecs;
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn column_sum_1(thread: Thread) {
  let c = group_index(thread) * THREADS + thread.index;
  let vecs = params.cols / VEC;
  if (c < vecs) { sums0[c] = sum_of(c, vecs); }
}

@compute @workgroup_size(THREADS)
fn column_sum_2(thread: Thread) {
  let c = group_index(thread) * THREADS + thread.index;
  let vecs = params.cols / VEC;
  if (c < vecs) {
    sums0[c] = sum_of(c, 2u * vecs);
  } else if (c < 2u * vecs) {
    sums1[c - vecs] = sum_of(c, 2u * vecs);
  }
}
