// Ops that compute y element by element. Entry points with `_in_place` read y instead of x, or of dy:
//   add                  y = x + b
//   copy                 y = x; casts weights to f16 if y is stored so, and measures the bandwidth (src/engine/gpu/roofs.ts)
//   dropout              y = x * f. The factor f of an element is 0 with probability `rate`, else 1 / (1 - rate).
//                        Applied to dy it is the backward pass: seed, step, site and element decide a factor
//   activation           y = f(x), f by KIND, as a pass of its own (matmul computes it in its epilogue)
//   activation_backward  y = f'(x) * dy
//   log_mean             y = log(max(scale * x, 1e-37))
//   accumulate           y = y * step.keep + x (gradient accumulation); a keep of 0 ignores the content of y
//   difference           y = x - y
//   ema                  y = y + scale (x - y), the exponential moving average of weights x
// A thread computes PER vectors of four numbers.
// include shared/elementwise.wgsl
// include shared/random.wgsl
// include shared/activation-functions.wgsl

struct Params {
  count: u32,
  site: u32, // of dropout
  threshold: u32,
  keep_scale: f32,
  scale: f32, // of log_mean; of ema, 1 - decay
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>; // activation_backward: dy
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> step: Step;

override KIND: u32 = 0u;

// Dropout factors of vector i.
fn factors(key: u32, i: u32) -> vec4<f32> {
  return dropout_factors(key, 4u * i, 1u, params.threshold, params.keep_scale);
}

fn log_of(v: vec4<f32>) -> vec4<f32> {
  return log(max(params.scale * v, vec4(1e-37)));
}

@compute @workgroup_size(THREADS)
fn add(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(x[i] + b[i], i, params.count); }
}

@compute @workgroup_size(THREADS)
fn add_in_place(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(y[i] + b[i], i, params.count); }
}

@compute @workgroup_size(THREADS)
fn copy(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = x[i]; }
}

@compute @workgroup_size(THREADS)
fn dropout(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  let key = dropout_key(step.seed, step.step, params.site);
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(x[i] * factors(key, i), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn dropout_in_place(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  let key = dropout_key(step.seed, step.step, params.site);
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(y[i] * factors(key, i), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn activation(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(activate4(x[i], KIND), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn activation_in_place(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(activate4(y[i], KIND), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn activation_backward(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(b[i] * activation_derivative4(x[i], KIND), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn activation_backward_in_place(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(y[i] * activation_derivative4(x[i], KIND), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn log_mean(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(log_of(x[i]), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn log_mean_in_place(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(log_of(y[i]), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn accumulate(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) {
    if (step.keep == 0.0) { y[i] = x[i]; } else { y[i] = y[i] * step.keep + x[i]; }
  }
}

@compute @workgroup_size(THREADS)
fn difference(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = x[i] - y[i]; }
}

@compute @workgroup_size(THREADS)
fn ema(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] += params.scale * (x[i] - y[i]); }
}
