// Activation functions as separate passes (matmul computes them in its epilogue): y = f(x), and dx = f'(x) * dy.
// KIND selects ReLU, GELU or SiLU. A thread computes PER vectors of four numbers.
// include shared/elementwise.wgsl
// include shared/activation-functions.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> dx: array<vec4<f32>>;
@group(0) @binding(4) var<uniform> params: Params;

override KIND: u32 = 0u;
@compute @workgroup_size(THREADS)
fn activation(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(activate4(x[i], KIND), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn activation_in_place(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(activate4(y[i], KIND), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn activation_backward(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    dx[i] = within(dy[i] * activation_slope4(x[i], KIND), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn activation_backward_in_place(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    dx[i] = within(dx[i] * activation_slope4(x[i], KIND), i, params.count);
  }
}
