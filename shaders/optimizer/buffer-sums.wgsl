// Running sums of a whole parameter buffer, element by element:
//   accumulate  acc = acc * step.keep + x (gradient accumulation); a keep of 0 ignores the content of acc
//   ema         acc = acc + (1 - decay) (x - acc), the exponential moving average of weights
// A thread computes PER vectors of four numbers.
// include shared/elementwise.wgsl
// include shared/step-scalars.wgsl

struct Params {
  count: u32,
  rest: f32, // 1 - decay
}

@group(0) @binding(0) var<storage, read_write> acc: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> step: Step;

@compute @workgroup_size(THREADS)
fn accumulate(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    if (step.keep == 0.0) {
      acc[i] = x[i];
    } else {
      acc[i] = acc[i] * step.keep + x[i];
    }
  }
}

@compute @workgroup_size(THREADS)
fn ema(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    acc[i] += params.rest * (x[i] - acc[i]);
  }
}
