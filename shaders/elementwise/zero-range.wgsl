// y = x with zeros from `first` to `end`. One thread per number.
// include shared/kernel.wgsl

struct Params {
  count: u32,
  first: u32,
  end: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn zero_range(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i < params.count) { y[i] = select(x[i], 0.0, i >= params.first && i < params.end); }
}
