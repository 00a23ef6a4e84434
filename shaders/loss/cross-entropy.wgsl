// Cross-entropy with label smoothing (as torch.nn.functional.cross_entropy) of each row of logits z [N, V]
// and its target. With e the smoothing, p = softmax(z):
//   nll = lse - (1 - e) z_target - e/V sum(z),  lse = log(sum(exp(z)));  dlogits = step.token_weight (p - (1 - e) onehot - e/V)
// hit is 1 if the target has the largest logit (of equal ones the first). All are 0 in rows whose target is
// ignored. Entry points, each with a row group per row:
//   cross_entropy           nll, lse and hit
//   cross_entropy_backward  dlogits from logits and lse
//   cross_entropy_fused     nll, hit and dlogits, which may overwrite logits
// include shared/kernel.wgsl
// include shared/row-scan.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  cols: u32, // V
  width: u32, // numbers in a row of logits; those past V do not count, and their gradients are 0
  smoothing: f32,
  has_ignore_index: u32, // 1: targets `ignore_index` are ignored
  ignore_index: i32,
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
  if (IN_PLACE) { return dlogits[i]; }
  return logits[i];
}

// The target of a row.
struct Label {
  counts: bool,
  c: u32, // vector and place in it
  k: u32,
  logits: Vec, // of that vector
}

fn label_of(row: u32) -> Label {
  if (row >= params.rows || (params.has_ignore_index != 0u && targets[row] == params.ignore_index)) {
    return Label(false, 0u, 0u, Vec(0.0));
  }
  let column = u32(targets[row]);
  let c = column / VEC;
  return Label(true, c, column % VEC, vec_at(row * (params.width / VEC) + c));
}

fn lse_of(scan: RowScan) -> f32 {
  return scan.top + log(scan.exponentials);
}

fn write_loss(row: u32, scan: RowScan, label: Label) {
  let target_logit = vec_element(label.logits, label.k);
  let loss = lse_of(scan) - (1.0 - params.smoothing) * target_logit
    - params.smoothing / f32(params.cols) * scan.sum;
  let best = scan.first == label.c && vec_index_of(label.logits, scan.largest) == label.k;
  nll[row] = select(0.0, loss, label.counts);
  hit[row] = select(0.0, 1.0, label.counts && best);
}

// Writes dlogits of the vectors of a thread: first without the target, then the vector with the target again.
fn write_gradient(row: u32, normalizer: f32, label: Label, thread: u32) {
  let vecs = params.width / VEC;
  let whole = params.cols / VEC;
  let lane = thread % ROW_GROUP_SIZE;
  let start = row * vecs;
  if (!label.counts) {
    for (var i = start + lane; i < start + vecs; i += ROW_GROUP_SIZE) { dlogits[i] = Vec(0.0); }
    return;
  }
  let off = params.smoothing / f32(params.cols);
  for (var i = start + lane; i < start + whole; i += ROW_GROUP_SIZE) {
    dlogits[i] = step.token_weight * (exp(vec_at(i) - normalizer) - off);
  }
  if (params.cols % VEC > 0u && whole % ROW_GROUP_SIZE == lane) {
    let slope = step.token_weight * (exp(vec_at(start + whole) - normalizer) - off);
    dlogits[start + whole] = vec_masked(slope, whole, params.cols, 0.0);
  }
  if (label.c % ROW_GROUP_SIZE == lane) {
    let hot = vec_one_hot(1.0 - params.smoothing, label.c, label.c * VEC + label.k);
    let slope = step.token_weight * (exp(label.logits - normalizer) - off - hot);
    dlogits[start + label.c] = vec_masked(slope, label.c, params.cols, 0.0);
  }
}

@compute @workgroup_size(THREADS)
fn cross_entropy(thread: Thread) {
  let row = row_of(thread);
  let scan = scan_row(row, params.rows, params.cols, params.width, thread.index);
  if (row < params.rows && thread.index % ROW_GROUP_SIZE == 0u) {
    row_lse[row] = lse_of(scan);
    write_loss(row, scan, label_of(row));
  }
}

@compute @workgroup_size(THREADS)
fn cross_entropy_backward(thread: Thread) {
  let row = row_of(thread);
  if (row < params.rows) { write_gradient(row, lse[row], label_of(row), thread.index); }
}

@compute @workgroup_size(THREADS)
fn cross_entropy_fused(thread: Thread) {
  let row = row_of(thread);
  let label = label_of(row); // before the barriers of the scan: after them the row group overwrites the row
  let scan = scan_row(row, params.rows, params.cols, params.width, thread.index);
  if (row >= params.rows) { return; }
  if (thread.index % ROW_GROUP_SIZE == 0u) { write_loss(row, scan, label); }
  write_gradient(row, lse_of(scan), label, thread.index);
}
