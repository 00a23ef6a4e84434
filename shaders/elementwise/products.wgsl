// Products and limits of numbers, element by element; a thread computes PER vectors of four. Entry points:
//   multiply          y = a * b
//   softcap           y = cap * tanh(a / cap)
//   softcap_backward  y = b * (1 - (a / cap)²): a is the output of softcap, b the gradient of it
// include shared/elementwise.wgsl

struct Params {
  count: u32,
  cap: f32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

// tanh by one exp that cannot overflow; near 0, since 1 - e cancels there, by its series to x⁹ (error below 1e-8).
fn tanh4(x: vec4<f32>) -> vec4<f32> {
  let e = exp(-2.0 * min(abs(x), vec4(20.0)));
  let s = x * x;
  let near = x * (1.0 + s * (-0.33333333 + s * (0.13333333 + s * (-0.053968254 + s * 0.021869489))));
  return select(sign(x) * (1.0 - e) / (1.0 + e), near, s < vec4(0.04));
}

@compute @workgroup_size(THREADS)
fn multiply(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(a[i] * b[i], i, params.count); }
}

@compute @workgroup_size(THREADS)
fn softcap(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) { y[i] = within(params.cap * tanh4(a[i] / params.cap), i, params.count); }
}

@compute @workgroup_size(THREADS)
fn softcap_backward(thread: Thread) {
  let span = span_of(thread, vecs_of(params.count));
  for (var i = span.first; i < span.end; i += THREADS) {
    let t = a[i] / params.cap;
    y[i] = within(b[i] * (1.0 - t * t), i, params.count);
  }
}
