// A linear layer, dropout, the residual connection and the norm after it in one dispatch, with NEXT also the linear
// layer after the norm:
//   s = residual + dropout(x·wᵀ + b),  y = norm(s),  stats as in norm/layer-norm.wgsl,  next = dropout(f(y·w2ᵀ + b2))
// A workgroup computes whole rows (row-products.wgsl), so that it can normalize them. The first moment and the
// deviations from it are summed as in norm/layer-norm.wgsl.
// include shared/kernel.wgsl
// include shared/random.wgsl
// include shared/activation-functions.wgsl
// include rows/row-products.wgsl

struct Params {
  rows: u32,
  inner: u32, // numbers of a row of x, a multiple of DEPTH
  cols: u32, // D, a multiple of 4
  bias_at: u32, // vectors of `vectors`
  gamma_at: u32,
  beta_at: u32,
  has_bias: u32, // 1: the first layer, 2: the next one
  eps: f32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
  w_at: u32, // vectors of `matrices`
  next_at: u32,
  next_cols: u32, // numbers of a row of the next layer, a multiple of 4
  next_bias_at: u32, // vectors of `vectors`
  activation: u32,
  next_site: u32,
  next_threshold: u32,
  next_keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>; // [rows, inner]
@group(0) @binding(1) var<storage, read> matrices: array<vec4<f32>>; // w [D, inner] and w2 [next_cols, D]
@group(0) @binding(2) var<storage, read> vectors: array<vec4<f32>>; // b, gamma, beta and b2
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>; // [rows, D]
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> s: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> stats: array<f32>;
@group(0) @binding(7) var<storage, read_write> next: array<vec4<f32>>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> step: Step;

override RMS: bool = false;
override DROPOUT: bool = false;
override NEXT: bool = false;

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

@compute @workgroup_size(THREADS)
fn linear_add_norm(at: Thread) {
  let thread = min(at.index, THREADS - 1u);
  let first = group_index(at) * TILE;
  let across = thread % ACROSS;
  let down = thread / ACROSS;
  let vecs = params.cols / 4u;
  var sums = product_of_x(first, params.w_at, params.inner / 4u, 0u, params.cols, thread);

  var key = 0u;
  if (DROPOUT) { key = dropout_key(step.seed, step.step, params.site); }
  var total = vec4<f32>();
  for (var n = 0u; n < BLOCKS; n++) {
    let c = across + n * ACROSS;
    var bias = vec4<f32>();
    if ((params.has_bias & 1u) != 0u) { bias = vectors[params.bias_at + min(c, vecs - 1u)]; }
    var rows = sums[n];
    for (var r = 0u; r < 4u; r++) {
      let row = first + 4u * down + r;
      let i = row * vecs + c;
      var v = rows[r] + bias;
      if (DROPOUT) { v *= dropout_factors(key, 4u * i, 1u, params.threshold, params.keep_scale); }
      if (row < params.rows && c < vecs) {
        v += residual[i];
        s[i] = v;
      } else {
        v = vec4<f32>();
      }
      rows[r] = v;
      if (RMS) { total[r] += sum4(v * v); } else { total[r] += sum4(v); }
    }
    sums[n] = rows;
  }
  let moment = across_sum(total, thread) / f32(params.cols);
  var mean = vec4<f32>();
  var variance = moment; // RMS: the mean of squares
  if (!RMS) {
    var deviation = vec4<f32>();
    var square = vec4<f32>();
    for (var n = 0u; n < BLOCKS; n++) {
      if (across + n * ACROSS >= vecs) { break; }
      for (var r = 0u; r < 4u; r++) {
        let d = sums[n][r] - moment[r];
        deviation[r] += sum4(d);
        square[r] += sum4(d * d);
      }
    }
    let correction = across_sum(deviation, thread) / f32(params.cols);
    mean = moment + correction;
    variance = max(across_sum(square, thread) / f32(params.cols) - correction * correction, vec4<f32>());
  }
  let rstd = inverseSqrt(variance + params.eps);
  for (var n = 0u; n < BLOCKS; n++) {
    let c = across + n * ACROSS;
    if (c >= vecs) { break; }
    let gamma = vectors[params.gamma_at + c];
    var beta = vec4<f32>();
    if (!RMS) { beta = vectors[params.beta_at + c]; }
    for (var r = 0u; r < 4u; r++) {
      let row = first + 4u * down + r;
      if (row < params.rows) { y[row * vecs + c] = (sums[n][r] - mean[r]) * rstd[r] * gamma + beta; }
    }
  }
  if (across == 0u) {
    for (var r = 0u; r < 4u; r++) {
      let row = first + 4u * down + r;
      if (row < params.rows) {
        if (RMS) {
          stats[row] = rstd[r];
        } else {
          stats[2u * row] = mean[r];
          stats[2u * row + 1u] = rstd[r];
        }
      }
    }
  }
  if (NEXT) {
    // The rows of y that the next layer reads are those of the workgroup itself.
    storageBarrier();
    for (var column = 0u; column < params.next_cols; column += 4u * WIDTH) { next_columns(first, column, thread); }
  }
}

// Numbers of the next layer from `column` on, WIDTH vectors of each row. All threads must call it.
fn next_columns(first: u32, column: u32, thread: u32) {
  var sums = product_of_y(first, params.next_at, params.cols / 4u, column, params.next_cols, thread);
  let vecs = params.next_cols / 4u;
  var key = 0u;
  if (params.next_threshold != 0u) { key = dropout_key(step.seed, step.step, params.next_site); }
  for (var n = 0u; n < BLOCKS; n++) {
    let c = column / 4u + thread % ACROSS + n * ACROSS;
    if (c >= vecs) { break; }
    var bias = vec4<f32>();
    if ((params.has_bias & 2u) != 0u) { bias = vectors[params.next_bias_at + c]; }
    let rows = sums[n];
    for (var r = 0u; r < 4u; r++) {
      let row = first + 4u * (thread / ACROSS) + r;
      if (row >= params.rows) { break; }
      let i = row * vecs + c;
      var v = activate4(rows[r] + bias, params.activation);
      if (params.next_threshold != 0u) {
        v *= dropout_factors(key, 4u * i, 1u, params.next_threshold, params.next_keep_scale);
      }
      next[i] = v;
    }
  }
}
