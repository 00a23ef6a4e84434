// One optimizer update of a slice of the weights p from the gradients g, element by element. The gradient is
// g * clip[0]; if clip[2] is 0 (a gradient is not finite) nothing changes. Weight decay applies to elements
// below `decay_end`. Entry points:
//   adamw    m = beta1 m + (1 - beta1) g, v = beta2 v + (1 - beta2) g², p -= lr decay p + lr m̂ / (√v̂ + eps), with the
//            moments m̂, v̂ without bias (Loshchilov and Hutter, 2019; as torch.optim.AdamW)
//   adam     the same with g + decay p instead of g, and no other decay (Kingma and Ba, 2015; as torch.optim.Adam)
//   rmsprop  v = beta2 v + (1 - beta2) g², p -= lr g / √(v + eps); beta2 is rho (as keras.optimizers.RMSprop)
//   sgd      m = beta1 m + g + decay p, p -= lr m; beta1 is the momentum (as torch.optim.SGD without dampening)
// A thread updates PER vectors of four numbers.
// include shared/elementwise.wgsl
// include shared/kernel.wgsl

struct Params {
  count: u32,
  decay_end: u32,
  decay: f32,
  beta1: f32,
  one_minus_beta1: f32, // 1 - beta1, rounded once from float64
  beta2: f32,
  one_minus_beta2: f32,
  eps: f32,
}

@group(0) @binding(0) var<storage, read_write> p: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> g: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> m: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> v: array<vec4<f32>>;
// (factor of the gradients, norm, 1 if finite, loss scale), see clip.wgsl
@group(0) @binding(4) var<storage, read> clip: array<f32>;
// (applied, skipped, 1 - beta1^applied, 1 - beta2^applied, ...)
@group(0) @binding(5) var<storage, read> counters: array<f32>;
@group(0) @binding(6) var<uniform> params: Params;
@group(0) @binding(7) var<uniform> step: Step;

// The vectors that a thread updates; none if the step is skipped.
fn update_span(thread: Thread) -> Span {
  let span = span_of(thread, vecs_of(params.count));
  return Span(span.first, select(span.end, 0u, clip[2] == 0.0));
}

// `decay` for the numbers of vector i that decay, else 0.
fn decay_of(i: u32, decay: f32) -> vec4<f32> {
  return select(vec4(0.0), vec4(decay), vec4(4u * i) + vec4(0u, 1u, 2u, 3u) < vec4(params.decay_end));
}

// Bias corrections: learning rate / (1 - beta1^t), and 1 / sqrt(1 - beta2^t).
struct Correction {
  rate: f32,
  root: f32,
}

fn correction() -> Correction {
  return Correction(step.learning_rate / counters[2], 1.0 / sqrt(counters[3]));
}

// Updates the moments of vector i by gradient d; returns the update of the weights.
fn adam_update(i: u32, d: vec4<f32>, by: Correction) -> vec4<f32> {
  let mean = params.beta1 * m[i] + params.one_minus_beta1 * d;
  let square = params.beta2 * v[i] + params.one_minus_beta2 * d * d;
  m[i] = mean;
  v[i] = square;
  return by.rate * mean / (sqrt(square) * by.root + params.eps);
}

@compute @workgroup_size(THREADS)
fn adamw(thread: Thread) {
  let span = update_span(thread);
  let by = correction();
  for (var i = span.first; i < span.end; i += THREADS) {
    let kept = p[i] - decay_of(i, step.learning_rate * params.decay) * p[i];
    p[i] = kept - adam_update(i, g[i] * clip[0], by);
  }
}

@compute @workgroup_size(THREADS)
fn adam(thread: Thread) {
  let span = update_span(thread);
  let by = correction();
  for (var i = span.first; i < span.end; i += THREADS) {
    p[i] -= adam_update(i, g[i] * clip[0] + decay_of(i, params.decay) * p[i], by);
  }
}

@compute @workgroup_size(THREADS)
fn rmsprop(thread: Thread) {
  let span = update_span(thread);
  for (var i = span.first; i < span.end; i += THREADS) {
    let d = g[i] * clip[0];
    let square = params.beta2 * v[i] + params.one_minus_beta2 * d * d;
    v[i] = square;
    p[i] -= step.learning_rate * d / sqrt(square + params.eps);
  }
}

@compute @workgroup_size(THREADS)
fn sgd(thread: Thread) {
  let span = update_span(thread);
  for (var i = span.first; i < span.end; i += THREADS) {
    let velocity = params.beta1 * m[i] + g[i] * clip[0] + decay_of(i, params.decay) * p[i];
    m[i] = velocity;
    p[i] -= step.learning_rate * velocity;
  }
}
