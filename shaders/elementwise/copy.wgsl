// y = x. Measures the copy bandwidth of the GPU (src/gpu/roofs.ts), and casts weights to f16 if y is stored as f16.
// A thread copies PER vectors of four numbers.
// include shared/elementwise.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn copy(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = x[i];
  }
}
