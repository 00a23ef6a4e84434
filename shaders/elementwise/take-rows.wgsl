// y[i] = x[indices[i]]: selected rows of `width` 32-bit words of any type. One thread per word.
// include shared/kernel.wgsl

struct Params {
  rows: u32,
  width: u32,
  rows_in: u32, // rows of x, the bound of a pick
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn take_rows(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  let row = i / params.width;
  if (row < params.rows) {
    y[i] = x[min(indices[row], params.rows_in - 1u) * params.width + i % params.width];
  }
}
