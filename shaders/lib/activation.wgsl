// Activations and their derivatives; src/ops/activation-functions.ts has the same in float64 and the numbers of the kinds.
// `kind` is meant to be an override, so that the branches fold away when the pipeline is made.

const RELU: u32 = 1u;
const GELU: u32 = 2u;
const SILU: u32 = 3u;

// The normal distribution's density and its integral up to x: (Φ(x), φ(x)).
// Φ(-a) = exp(-a²/2) R(a) for a >= 0, R a rational minimax fit of erfc(a/√2) exp(a²/2) / 2 on [0, 14] (our own, by reweighted
// least squares; relative error 6e-9). In float32 Φ is within 1.4e-7, and the tail keeps its relative accuracy.
fn normal(x: f32) -> vec2<f32> {
  let a = min(abs(x), 14.0);
  let e = exp(-0.5 * a * a);
  let p = 0.5 + a * (0.43724979 + a * (0.18246092 + a * (0.040372223 + a * 0.0040775545)));
  let q = 1.0 + a * (1.6723845 + a * (1.1992871 + a * (0.46742668 + a * (0.10120497 + a * 0.010220785))));
  let tail = e * (p / q);
  return vec2(select(tail, 1.0 - tail, x > 0.0), e * 0.3989422804);
}

// Clamped so that exp stays finite; 0 below, so that x * sigmoid(x) vanishes however far out x is.
fn sigmoid(x: f32) -> f32 {
  return select(1.0 / (1.0 + exp(-max(x, -80.0))), 0.0, x < -80.0);
}

fn activate(x: f32, kind: u32) -> f32 {
  if (kind == RELU) { return max(x, 0.0); }
  if (kind == GELU) { return x * normal(x).x; }
  if (kind == SILU) { return x * sigmoid(x); }
  return x;
}

// The derivative at x. ReLU's may be taken at the activation's output as well.
fn activation_slope(x: f32, kind: u32) -> f32 {
  if (kind == RELU) { return select(0.0, 1.0, x > 0.0); }
  if (kind == GELU) {
    let n = normal(x);
    return n.x + x * n.y;
  }
  if (kind == SILU) {
    let s = sigmoid(x);
    return s + x * s * (1.0 - s);
  }
  return 1.0;
}

fn activate4(x: vec4<f32>, kind: u32) -> vec4<f32> {
  return vec4(activate(x.x, kind), activate(x.y, kind), activate(x.z, kind), activate(x.w, kind));
}

fn activation_slope4(x: vec4<f32>, kind: u32) -> vec4<f32> {
  return vec4(activation_slope(x.x, kind), activation_slope(x.y, kind), activation_slope(x.z, kind), activation_slope(x.w, kind));
}
