// y[b, t] = x[b, t] + positions[t], rows of D numbers. One thread per number. With `in_place` y has the memory
// of x.
// include shared/kernel.wgsl

struct Params {
  count: u32, // numbers in x
  row: u32, // numbers of all positions of a row of the batch
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> positions: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn add_positions(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i < params.count) { y[i] = x[i] + positions[i % params.row]; }
}

@compute @workgroup_size(THREADS)
fn add_positions_in_place(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i < params.count) { y[i] += positions[i % params.row]; }
}
