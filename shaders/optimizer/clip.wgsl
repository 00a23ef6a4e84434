// Gradient clipping by global norm (Pascanu et al., 2013), without a readback, and the dynamic loss scale
// (Micikevicius et al., 2018):
//   gradient_norm  partials [blocks, 2] = (sum of squares, 1 if an element is not finite else 0) of each block; one
//                  workgroup per block
//   clip_scale     clip [4] = (factor of the gradients, norm, 1 if all are finite else 0, loss scale) and the
//                  optimizer's counters; one workgroup
//   scale_step     step_out = step_in with token_weight (word 1) multiplied by the loss scale, if there is one; a thread
//                  per word. The product is computed as a float and all other words are copied as bits, since they may
//                  not be floats
// The factor is min(1, max_norm / (norm + 1e-6)) / loss scale, as torch.nn.utils.clip_grad_norm_ with
// unscaled gradients. Whether a number is finite is read from the bits of its exponent: WGSL may assume that
// NaN and infinities do not occur. A dispatch binds up to four ranges of the gradients, since they may exceed
// the size of a binding.

struct Params {
  count: u32, // elements; in clip_scale blocks
  range: u32, // elements per range
  block: u32, // elements per block
  max_norm: f32,
  log_beta1: f32, // log(beta1), or -100 if the optimizer has no such moment: its bias correction is 1
  log_beta2: f32,
  growth: f32, // finite steps after which the loss scale doubles; 0: never
}

@group(0) @binding(0) var<storage, read> g0: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read> g1: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> g2: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> g3: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> partials_out: array<f32>;
@group(0) @binding(5) var<storage, read> partials: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> clip: array<f32>;
// (applied steps, skipped steps, 1 - beta1^applied, 1 - beta2^applied, loss scale or 0, finite steps since it
// changed, unused ...)
@group(0) @binding(7) var<storage, read_write> counters: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<storage, read> counters_in: array<f32>;
@group(0) @binding(10) var<storage, read> step_in: array<u32>;
@group(0) @binding(11) var<storage, read_write> step_out: array<u32>;

const THREADS: u32 = 64u;
var<workgroup> shares: array<vec2<f32>, THREADS>;

// Running sum of squares, and the largest bits of a vector as signed and as unsigned numbers. Those of
// infinities and NaN are the largest of their sign.
struct Sums {
  squares: vec4<f32>,
  positive: i32,
  negative: u32,
}

const EXPONENT: u32 = 0x7f800000u;
const MIN_SCALE: f32 = 1.0;
const MAX_SCALE: f32 = 16777216.0;

// Adds a vector, given by its bits.
fn with_vec(sums: Sums, bits: vec4<u32>) -> Sums {
  let g = bitcast<vec4<f32>>(bits);
  let signed = bitcast<vec4<i32>>(bits);
  return Sums(sums.squares + g * g,
    max(max(max(sums.positive, signed.x), signed.y), max(signed.z, signed.w)),
    max(max(max(sums.negative, bits.x), bits.y), max(bits.z, bits.w)));
}

// The sum over the workgroup in order of the threads, returned to thread 0 only.
fn workgroup_sum(share: vec2<f32>, thread: u32) -> vec2<f32> {
  shares[thread] = share;
  workgroupBarrier();
  var sum = vec2(0.0);
  if (thread == 0u) {
    for (var t = 0u; t < THREADS; t++) {
      sum += shares[t];
    }
  }
  return sum;
}

fn last_vec(range: u32, i: u32) -> vec4<u32> {
  if (range == 0u) { return g0[i]; }
  if (range == 1u) { return g1[i]; }
  if (range == 2u) { return g2[i]; }
  return g3[i];
}

@compute @workgroup_size(THREADS)
fn gradient_norm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  // A block is always inside one range.
  let range = group.x * params.block / params.range;
  let left = params.count - range * params.range;
  let first = (group.x * params.block - range * params.range) / 4u;
  let after = first + params.block / 4u;
  let end = min(after, left / 4u);
  var sums = Sums(vec4(0.0), 0, 0u);
  if (range == 0u) {
    for (var i = first + thread; i < end; i += THREADS) { sums = with_vec(sums, g0[i]); }
  } else if (range == 1u) {
    for (var i = first + thread; i < end; i += THREADS) { sums = with_vec(sums, g1[i]); }
  } else if (range == 2u) {
    for (var i = first + thread; i < end; i += THREADS) { sums = with_vec(sums, g2[i]); }
  } else {
    for (var i = first + thread; i < end; i += THREADS) { sums = with_vec(sums, g3[i]); }
  }
  if (thread == 0u && left % 4u > 0u && left / 4u < after) {
    let last = last_vec(range, left / 4u);
    sums = with_vec(sums, select(vec4(0u), last, vec4(0u, 1u, 2u, 3u) < vec4(left % 4u)));
  }
  let squares = (sums.squares.x + sums.squares.y) + (sums.squares.z + sums.squares.w);
  let bad = sums.positive >= i32(EXPONENT) || sums.negative >= (0x80000000u | EXPONENT);
  let total = workgroup_sum(vec2(squares, select(0.0, 1.0, bad)), thread);
  if (thread == 0u) {
    partials_out[2u * group.x] = total.x;
    partials_out[2u * group.x + 1u] = min(total.y, 1.0);
  }
}

// 1 - exp(x) for x <= 0, to a few units in the last place: a Taylor series near 0, then doublings by e^2x - 1
// = u (u + 2), u = e^x - 1.
fn one_minus_exp(x: f32) -> f32 {
  var y = max(x, -20.0);
  var doublings = 0u;
  while (y < -0.25) {
    y *= 0.5;
    doublings++;
  }
  var u = y * (1.0 + y * (0.5 + y * (1.0 / 6.0 + y * (1.0 / 24.0 + y * (1.0 / 120.0 + y * (1.0 / 720.0))))));
  for (; doublings > 0u; doublings--) {
    u *= u + 2.0;
  }
  return -u;
}

@compute @workgroup_size(THREADS)
fn clip_scale(@builtin(local_invocation_index) thread: u32) {
  var share = vec2(0.0);
  for (var i = thread; i < params.count / 2u; i += THREADS) { share += partials[i].xy + partials[i].zw; }
  if (thread == 0u && params.count % 2u == 1u) { share += partials[params.count / 2u].xy; }
  let total = workgroup_sum(share, thread);
  if (thread != 0u) {
    return;
  }
  let finite = total.y == 0.0 && (bitcast<u32>(total.x) & EXPONENT) != EXPONENT;
  let scaled = counters[4] > 0.0;
  let loss_scale = select(1.0, counters[4], scaled);
  clip[3] = counters[4];
  if (!finite) {
    clip[0] = 0.0;
    clip[1] = 0.0;
    clip[2] = 0.0;
    counters[1] += 1.0;
    counters[5] = 0.0;
    if (scaled) {
      counters[4] = max(MIN_SCALE, 0.5 * loss_scale);
    }
    return;
  }
  let norm = sqrt(total.x) / loss_scale;
  clip[0] = select(1.0, min(1.0, params.max_norm / (norm + 1e-6)), params.max_norm > 0.0) / loss_scale;
  clip[1] = norm;
  clip[2] = 1.0;
  let applied = counters[0] + 1.0;
  counters[0] = applied;
  counters[2] = one_minus_exp(applied * params.log_beta1);
  counters[3] = one_minus_exp(applied * params.log_beta2);
  if (!scaled) {
    return;
  }
  let good = counters[5] + 1.0;
  let grows = params.growth > 0.0 && good >= params.growth;
  counters[5] = select(good, 0.0, grows);
  counters[4] = select(loss_scale, min(MAX_SCALE, 2.0 * loss_scale), grows);
}

@compute @workgroup_size(8)
fn scale_step(@builtin(local_invocation_index) word: u32) {
  let scale = select(1.0, counters_in[4], counters_in[4] > 0.0);
  step_out[word] = select(step_in[word], bitcast<u32>(bitcast<f32>(step_in[word]) * scale), word == 1u);
}
