// y[r, k] = x[r, k] + shift[r]. One thread per number.
// include shared/kernel.wgsl

struct Params {
  count: u32,
  width: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> shift: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn shift_rows(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i < params.count) { y[i] = x[i] + shift[i / params.width]; }
}
