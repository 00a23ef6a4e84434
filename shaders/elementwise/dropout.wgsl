// Dropout: y = x * f, where the factor f of an element is 0 with probability `rate` and else 1 / (1 - rate). The
// backward pass is the same kernel applied to dy: factors are recomputed from seed, step, site and element. A thread
// computes PER vectors of four numbers.
// include shared/elementwise.wgsl
// include shared/step-scalars.wgsl
// include shared/vec4.wgsl

struct Params {
  count: u32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> step: Step;

@compute @workgroup_size(THREADS)
fn dropout(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  let key = dropout_key(step.seed, step.step, params.site);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(x[i] * vec_dropout(key, i, params.threshold, params.keep_scale), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn dropout_in_place(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  let key = dropout_key(step.seed, step.step, params.site);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(y[i] * vec_dropout(key, i, params.threshold, params.keep_scale), i, params.count);
  }
}
