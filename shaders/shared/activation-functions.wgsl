// Activation functions and their derivatives, four numbers at a time: ReLU max(x, 0), GELU x * Phi(x) (exact,
// not the tanh approximation), SiLU x * sigmoid(x), QUICK_GELU x * sigmoid(1.702 x) and GELU_TANH, the approximation
// of GELU, x * sigmoid(2u) with u = sqrt(2/π) (x + 0.044715 x³). src/engine/ops/elementwise/activation-references.ts
// has them in float64, and src/engine/ops/elementwise/elementwise-ops.ts the numbers of the kinds.

const RELU: u32 = 1u;
const GELU: u32 = 2u;
const SILU: u32 = 3u;
const GELU_TANH: u32 = 4u;
const QUICK_GELU: u32 = 5u;
const QUICK: f32 = 1.702;
// Beyond it the sigmoid of QUICK_GELU is 0 or 1 in float32.
const QUICK_MAX: f32 = 47.0;

// `kind` is the same for all threads: an override or a parameter.
fn activate4(x: vec4<f32>, kind: u32) -> vec4<f32> {
  if (kind == RELU) { return max(x, vec4<f32>()); }
  if (kind == GELU) { return x * normal_cdf(x); }
  if (kind == QUICK_GELU) { return max(x, vec4(-QUICK_MAX)) * sigmoid(QUICK * clamp(x, vec4(-QUICK_MAX), vec4(QUICK_MAX))); }
  if (kind == SILU || kind == GELU_TANH) {
    return max(x, vec4(select(SIGMOID_MIN, -TANH_MAX, kind == GELU_TANH))) * sigmoid(sigmoid_argument(x, kind));
  }
  return x;
}

// The derivative at x; for ReLU x may also be the output of the activation.
fn activation_derivative4(x: vec4<f32>, kind: u32) -> vec4<f32> {
  if (kind == RELU) { return select(vec4<f32>(), vec4(1.0), x > vec4<f32>()); }
  if (kind == GELU) { return normal_cdf(x) + x * normal_pdf(x); }
  if (kind == QUICK_GELU) {
    let a = clamp(x, vec4(-QUICK_MAX), vec4(QUICK_MAX));
    let s = sigmoid(QUICK * a);
    return s + QUICK * a * s * (1.0 - s);
  }
  if (kind == SILU || kind == GELU_TANH) {
    let s = sigmoid(sigmoid_argument(x, kind));
    let a = select(max(x, vec4(SIGMOID_MIN)), clamp(x, vec4(-TANH_MAX), vec4(TANH_MAX)), kind == GELU_TANH);
    return s + a * s * (1.0 - s) * select(vec4(1.0), 1.5957691216 + 0.2140644488 * a * a, kind == GELU_TANH);
  }
  return vec4(1.0);
}

// Density of the normal distribution, exp(-x²/2) / √2π. From |x| = 14 on it is below the smallest normal
// float32.
fn normal_pdf(x: vec4<f32>) -> vec4<f32> {
  let a = min(abs(x), vec4(14.0));
  return exp(-0.5 * a * a) * 0.3989422804;
}

// Its distribution function, Φ(x) = (1 + erf(x/√2)) / 2. For a >= 0, Φ(-a) = exp(-a²/2) R(a), where R is a
// rational minimax fit of erfc(a/√2) exp(a²/2) / 2 on [0, 14] (by reweighted least squares; relative error
// 6e-9). The float32 result is within 1.4e-7 of Φ, and the tail keeps its relative accuracy.
fn normal_cdf(x: vec4<f32>) -> vec4<f32> {
  let a = min(abs(x), vec4(14.0));
  let p = 0.5 + a * (0.43724979 + a * (0.18246092 + a * (0.040372223 + a * 0.0040775545)));
  let q = 1.0 + a * (1.6723845 + a * (1.1992871 + a * (0.46742668 + a * (0.10120497 + a * 0.010220785))));
  let tail = exp(-0.5 * a * a) * (p / q);
  return select(tail, 1.0 - tail, x > vec4<f32>());
}

// Lower bound of x, since exp(-x) overflows below -88.7. SiLU clamps x here too: below it SiLU is -1.4e-33,
// not 0.
const SIGMOID_MIN: f32 = -80.0;

fn sigmoid(x: vec4<f32>) -> vec4<f32> {
  return 1.0 / (1.0 + exp(-max(x, vec4(SIGMOID_MIN))));
}

// From here on the tanh of GELU_TANH is 1 in float32, and below its negative GELU_TANH is 0.
const TANH_MAX: f32 = 12.0;

// SiLU and GELU_TANH are x * sigmoid(sigmoid_argument), with the sigmoid_argument x or 2u. One function for
// both: software adapters execute all branches of the epilogue of a product.
fn sigmoid_argument(x: vec4<f32>, kind: u32) -> vec4<f32> {
  let a = clamp(x, vec4(-TANH_MAX), vec4(TANH_MAX));
  return select(x, a * (1.5957691216 + 0.0713548163 * a * a), kind == GELU_TANH);
}
