// Cross-entropy with label smoothing (as torch.nn.functional.cross_entropy) of each row of logits z [N, V] and its
// target. With e the smoothing, p = softmax(z):
//   nll = lse - (1 - e) z_target - e/V sum(z),  lse = log(sum(exp(z)));  dlogits = weight (p - (1 - e) onehot - e/V)
// hit is 1 if the target has the largest logit (of equal ones the first). All are 0 in rows whose target is ignored.
// Entry points:
//   cross_entropy           nll, lse and hit; a row group per row
//   cross_entropy_backward  dlogits from logits and lse; a thread per vector
//   cross_entropy_fused     nll, hit and dlogits, which may overwrite logits; a row group per row
// include shared/thread.wgsl
// include shared/step-scalars.wgsl
// include shared/row-scan.wgsl
// include shared/vec4.wgsl | scalar: shared/scalar.wgsl

struct Params {
  rows: u32,
  cols: u32,
  smoothing: f32,
  ignores: u32, // 1: targets `ignored` are ignored
  ignored: i32,
}

@group(0) @binding(0) var<storage, read> logits: array<Vec>;
@group(0) @binding(1) var<storage, read> targets: array<i32>;
@group(0) @binding(2) var<storage, read> lse: array<f32>;
@group(0) @binding(3) var<storage, read_write> nll: array<f32>;
@group(0) @binding(4) var<storage, read_write> row_lse: array<f32>;
@group(0) @binding(5) var<storage, read_write> hit: array<f32>;
@group(0) @binding(6) var<storage, read_write> dlogits: array<Vec>;
@group(0) @binding(7) var<uniform> params: Params;
@group(0) @binding(8) var<uniform> step: Step;

// Whether dlogits overwrites logits.
override IN_PLACE: bool = false;

fn vec_at(i: u32) -> Vec {
  if (IN_PLACE) {
    return dlogits[i];
  }
  return logits[i];
}

fn counts(row: u32) -> bool {
  return params.ignores == 0u || targets[row] != params.ignored;
}

// The logit of a row's target.
fn target_logit_of(row: u32) -> f32 {
  let column = u32(targets[row]);
  return vec_element(vec_at(row * (params.cols / VEC) + column / VEC), column % VEC);
}

// The gradient of vector c of a row that counts, without the weight of the token.
fn slope(z: Vec, c: u32, normalizer: f32, label: u32) -> Vec {
  let off = params.smoothing / f32(params.cols);
  return exp(z - normalizer) - off - vec_one_hot(1.0 - params.smoothing, c, label);
}

fn loss(normalizer: f32, target_logit: f32, sum: f32) -> f32 {
  return normalizer - (1.0 - params.smoothing) * target_logit - params.smoothing / f32(params.cols) * sum;
}

@compute @workgroup_size(THREADS)
fn cross_entropy(thread: Thread) {
  let row = group_index(thread) * ROWS + thread.index / ROW_GROUP;
  let scan = scan_row(row, params.rows, params.cols, thread.index);
  if (row >= params.rows || thread.index % ROW_GROUP != 0u) {
    return;
  }
  let normalizer = scan.largest + log(scan.exponentials);
  row_lse[row] = normalizer;
  if (counts(row)) {
    nll[row] = loss(normalizer, target_logit_of(row), scan.sum);
    hit[row] = select(0.0, 1.0, scan.index == u32(targets[row]));
  } else {
    nll[row] = 0.0;
    hit[row] = 0.0;
  }
}

@compute @workgroup_size(256)
fn cross_entropy_backward(thread: Thread) {
  let i = group_index(thread) * 256u + thread.index;
  let vecs = params.cols / VEC;
  let row = i / vecs;
  if (row >= params.rows) {
    return;
  }
  var value = Vec(0.0);
  if (counts(row)) {
    value = step.token_weight * slope(vec_at(i), i % vecs, lse[row], u32(targets[row]));
  }
  dlogits[i] = value;
}

@compute @workgroup_size(THREADS)
fn cross_entropy_fused(thread: Thread) {
  let row = group_index(thread) * ROWS + thread.index / ROW_GROUP;
  let exists = row < params.rows;
  let vecs = params.cols / VEC;
  let start = row * vecs;
  var label = 0u;
  var counted = false;
  if (exists) {
    label = u32(targets[row]);
    counted = counts(row);
  }
  // Before the barriers of the scan, since the row group then overwrites the row.
  var target_logit = 0.0;
  if (counted) {
    target_logit = target_logit_of(row);
  }
  let scan = scan_row(row, params.rows, params.cols, thread.index);
  let normalizer = scan.largest + log(scan.exponentials);
  if (exists && thread.index % ROW_GROUP == 0u) {
    nll[row] = select(0.0, loss(normalizer, target_logit, scan.sum), counted);
    hit[row] = select(0.0, 1.0, counted && scan.index == label);
  }
  let end = select(0u, vecs, exists);
  if (counted) {
    for (var c = thread.index % ROW_GROUP; c < end; c += ROW_GROUP) {
      dlogits[start + c] = step.token_weight * slope(vec_at(start + c), c, normalizer, label);
    }
  } else {
    for (var c = thread.index % ROW_GROUP; c < end; c += ROW_GROUP) {
      dlogits[start + c] = Vec(0.0);
    }
  }
}
