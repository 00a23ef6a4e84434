// Guided alignment (Chen et al., 2016): the cross-entropy between given alignments and one head of
// cross-attention, whose columns start at `first`. With s_ij = scale·q_i·k_j, p = softmax_j(s) over the keys
// j < lens[b] and y_ij = 1 / n for the n links of query i:
//   loss_i = -weight sum_j y_ij log p_ij;  dscores_ij = scale·weight·token_weight (p_ij - y_ij);  0 without links
//   dq_i = sum_j dscores_ij k_j;  dk_j = sum_i dscores_ij q_i
// Naive kernels: the head is one of many. Entry points:
//   guided_alignment      loss [B, Tq] and dscores [B, Tq, Tk]: one thread per query, which keeps its scores in
//                         dscores until their sum is known
//   guided_alignment_dq   one thread per element of dq [B, Tq, H·W]; 0 in other heads
//   guided_alignment_dkv  one thread per element of dkv [B, Tk, 2·H·W]; 0 in other heads and in the values
// include shared/kernel.wgsl

struct Params {
  batch: u32,
  queries: u32,
  keys: u32,
  width: u32, // of a head
  inner: u32, // H·W
  first: u32, // column of the head
  words: u32, // of a row of links
  scale: f32,
  weight: f32,
}

@group(0) @binding(0) var<storage, read> q: array<f32>;
@group(0) @binding(1) var<storage, read> kv: array<f32>;
@group(0) @binding(2) var<storage, read> lens: array<u32>;
@group(0) @binding(3) var<storage, read> links: array<u32>;
@group(0) @binding(4) var<storage, read_write> loss: array<f32>;
@group(0) @binding(5) var<storage, read_write> dscores: array<f32>;
@group(0) @binding(6) var<storage, read> slopes: array<f32>;
@group(0) @binding(7) var<storage, read_write> dq: array<f32>;
@group(0) @binding(8) var<storage, read_write> dkv: array<f32>;
@group(0) @binding(9) var<uniform> params: Params;
@group(0) @binding(10) var<uniform> step: Step;

const THREADS: u32 = 64u;

// Whether query `row` is linked to key j.
fn is_linked(row: u32, j: u32) -> bool {
  return ((links[row * params.words + j / 32u] >> (j % 32u)) & 1u) == 1u;
}

@compute @workgroup_size(THREADS)
fn guided_alignment(thread: Thread) {
  let row = group_index(thread) * THREADS + thread.index;
  if (row >= params.batch * params.queries) { return; }
  let b = row / params.queries;
  let seen = min(lens[b], params.keys);
  let at = row * params.keys;
  var count = 0u;
  for (var j = 0u; j < seen; j++) { count += select(0u, 1u, is_linked(row, j)); }
  if (count == 0u) {
    for (var j = 0u; j < params.keys; j++) { dscores[at + j] = 0.0; }
    loss[row] = 0.0;
    return;
  }
  let q_at = row * params.inner + params.first;
  var top = MASKED;
  for (var j = 0u; j < seen; j++) {
    let k_at = (b * params.keys + j) * 2u * params.inner + params.first;
    var product = 0.0;
    for (var c = 0u; c < params.width; c++) { product += q[q_at + c] * kv[k_at + c]; }
    let score = product * params.scale;
    dscores[at + j] = score;
    top = max(top, score);
  }
  var total = 0.0;
  for (var j = 0u; j < seen; j++) { total += exp(dscores[at + j] - top); }
  let lse = top + log(total);
  let share = 1.0 / f32(count);
  let factor = params.scale * params.weight * step.token_weight;
  var sum = 0.0;
  for (var j = 0u; j < seen; j++) {
    let logarithm = dscores[at + j] - lse;
    let target_share = select(0.0, share, is_linked(row, j));
    sum -= target_share * logarithm;
    dscores[at + j] = factor * (exp(logarithm) - target_share);
  }
  for (var j = seen; j < params.keys; j++) { dscores[at + j] = 0.0; }
  loss[row] = params.weight * sum;
}

@compute @workgroup_size(THREADS)
fn guided_alignment_dq(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i >= params.batch * params.queries * params.inner) { return; }
  let row = i / params.inner;
  let column = i % params.inner;
  var sum = 0.0;
  if (column >= params.first && column < params.first + params.width) {
    let b = row / params.queries;
    for (var j = 0u; j < params.keys; j++) {
      sum += slopes[row * params.keys + j] * kv[(b * params.keys + j) * 2u * params.inner + column];
    }
  }
  dq[i] = sum;
}

@compute @workgroup_size(THREADS)
fn guided_alignment_dkv(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i >= params.batch * params.keys * 2u * params.inner) { return; }
  let key = i / (2u * params.inner);
  let column = i % (2u * params.inner);
  var sum = 0.0;
  if (column >= params.first && column < params.first + params.width) {
    let b = key / params.keys;
    let j = key % params.keys;
    for (var t = 0u; t < params.queries; t++) {
      let row = b * params.queries + t;
      sum += slopes[row * params.keys + j] * q[row * params.inner + column];
    }
  }
  dkv[i] = sum;
}
