// y = log(max(scale * x, 1e-37)), element by element; `log_mean_in_place`: y from itself.
// A thread computes PER vectors of four numbers.
// include shared/elementwise.wgsl

struct Params {
  count: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn log_mean(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(log(max(params.scale * x[i], vec4(1e-37))), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn log_mean_in_place(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(log(max(params.scale * y[i], vec4(1e-37))), i, params.count);
  }
}
