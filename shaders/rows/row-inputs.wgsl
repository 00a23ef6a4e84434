// What a row sublayer reads and how it begins: s, the sum that ends the sublayer before, and y, its norm. The maths is
// at the top of row-sublayers.wgsl.
// part of rows/row-sublayers.wgsl

struct Params {
  rows: u32,
  parts: u32, // P of the sublayer before; 0: x is s
  cols: u32, // D
  heads: u32,
  beams: u32,
  keys: u32, // capacity in keys of a row (self-attention) or a sentence (cross-attention)
  outs: u32, // hidden units, or numbers in a row of logits
  vocab: u32, // logits that have weights
  // Offsets in `vectors`, in vectors of four: of the bias before, gamma and beta of two norms, the own bias.
  bias_at: u32,
  gamma_at: u32,
  beta_at: u32,
  gamma2_at: u32,
  beta2_at: u32,
  own_at: u32,
  // Offsets in `matrices`, likewise.
  in_at: u32,
  out_at: u32,
  flags: u32, // of HAS_BIAS and so on
  activation: u32,
  eps: f32,
  eps2: f32,
  scale: f32,
}

const HAS_BIAS: u32 = 1u;
const HAS_OWN_BIAS: u32 = 2u;
const IS_RMS: u32 = 4u;
const KEEPS_SUM: u32 = 8u; // kept is s, not y
const KEEPS: u32 = 16u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> x: array<vec4<f32>>; // [R, D]
@group(0) @binding(3) var<storage, read> parts: array<vec4<f32>>; // [P, R, D]
@group(0) @binding(4) var<storage, read> vectors: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> matrices: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> kept: array<vec4<f32>>; // [R, D]
@group(0) @binding(9) var<storage, read_write> out: array<vec4<f32>>; // [P, R, D] or [R, outs]

const THREADS: u32 = 256u;
const LANES: u32 = 16u; // threads that share a dot product
const D4: u32 = 64u; // vectors of a row
const NORMS: u32 = 1u;
const CHUNK: u32 = 32u; // hidden units, or logits, of a workgroup

fn has(flag: u32) -> bool { return (params.flags & flag) != 0u; }

var<workgroup> row_y: array<vec4<f32>, D4>;
var<workgroup> shares: array<f32, THREADS>;
var<workgroup> moments: array<vec2<f32>, THREADS>;

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

// Vector c of s of a row.
fn summed(row: u32, c: u32) -> vec4<f32> {
  var s = x[row * D4 + c];
  if (has(HAS_BIAS)) { s += vectors[params.bias_at + c]; }
  for (var p = 0u; p < params.parts; p++) { s += parts[(p * params.rows + row) * D4 + c]; }
  return s;
}

// The sum of `value` over the workgroup. All threads must call it.
fn workgroup_sum(value: vec2<f32>, thread: u32) -> vec2<f32> {
  moments[thread] = value;
  workgroupBarrier();
  for (var stride = THREADS / 2u; stride > 0u; stride /= 2u) {
    if (thread < stride) { moments[thread] += moments[thread + stride]; }
    workgroupBarrier();
  }
  let total = moments[0];
  workgroupBarrier();
  return total;
}

// Replaces row_y by its norm, in two passes as shaders/norm/layer-norm.wgsl. A thread writes only what it reads.
fn normalize(gamma: u32, beta: u32, eps: f32, thread: u32) {
  let n = f32(params.cols);
  var first = 0.0;
  for (var c = thread; c < D4; c += THREADS) {
    let v = row_y[c];
    first += sum4(select(v, v * v, has(IS_RMS)));
  }
  let moment = workgroup_sum(vec2(first, 0.0), thread).x / n;
  var mean = 0.0;
  var variance = moment;
  if (!has(IS_RMS)) {
    var deviations = vec2(0.0);
    for (var c = thread; c < D4; c += THREADS) {
      let d = row_y[c] - moment;
      deviations += vec2(sum4(d), sum4(d * d));
    }
    let means = workgroup_sum(deviations, thread) / n;
    mean = moment + means.x;
    variance = max(means.y - means.x * means.x, 0.0);
  }
  let rstd = inverseSqrt(variance + eps);
  for (var c = thread; c < D4; c += THREADS) {
    var v = (row_y[c] - mean) * rstd * vectors[gamma + c];
    if (!has(IS_RMS)) { v += vectors[beta + c]; }
    row_y[c] = v;
  }
}

// Computes y of a row for the workgroup; the first workgroup of a row stores `kept`. All threads must call it.
fn load_row(row: u32, is_first: bool, thread: u32) {
  let keeps = is_first && has(KEEPS);
  for (var c = thread; c < D4; c += THREADS) {
    let s = summed(row, c);
    row_y[c] = s;
    if (keeps && has(KEEPS_SUM)) { kept[row * D4 + c] = s; }
  }
  if (NORMS > 0u) { normalize(params.gamma_at, params.beta_at, params.eps, thread); }
  if (NORMS > 1u) { normalize(params.gamma2_at, params.beta2_at, params.eps2, thread); }
  if (keeps && !has(KEEPS_SUM)) {
    for (var c = thread; c < D4; c += THREADS) { kept[row * D4 + c] = row_y[c]; }
  }
  workgroupBarrier();
}
