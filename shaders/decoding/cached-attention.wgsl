// Attention of one query per row to cached keys and values: out = softmax(scale·q·kᵀ)·v per head, by an online softmax.
// A row group of ROW_GROUP threads shares the keys of one row and head; each thread reduces its own keys, then the
// group combines the results. A row group of one thread needs no barrier; a larger one is a whole workgroup. The
// including file defines
//   fn key_row(row: u32, j: u32) -> u32          the row of kv with key j of query row `row`, plus HIDDEN if it is masked
//   fn position_bias(h: u32, j: u32) -> f32      what is added to the score of key j in head h
// include shared/thread.wgsl
// include shared/constants.wgsl
// include shared/chunks-vec4.wgsl | scalar: shared/chunks-scalar.wgsl

struct Params {
  rows: u32, // queries
  beams: u32, // queries per sentence
  keys: u32, // capacity in keys of a query row (self-attention) or a sentence (cross-attention)
  heads: u32,
  q_stride: u32, // elements from one row of q to the next
  scale: f32,
  farthest: u32, // the bias of position has 2·farthest + 1 distances
  chunks: u32, // CHUNKS as a loop bound that compilers do not know: unrolling takes seconds for wide heads
}

@group(0) @binding(0) var<uniform> params: Params;

const THREADS: u32 = 32u;
const ROW_GROUP: u32 = 1u;

// Maximum score and sum of exponentials of each thread, and its weighted sum of values.
var<workgroup> row_group_scores: array<vec2<f32>, THREADS>;
var<workgroup> row_group_values: array<vec4<f32>, select(1u, THREADS * CHUNKS, ROW_GROUP > 1u)>;

// The row and head of a thread; the row is params.rows or more if the thread has none.
fn row_and_head(thread: Thread) -> vec2<u32> {
  let task = group_index(thread) * (THREADS / ROW_GROUP) + thread.index / ROW_GROUP;
  return vec2(task / params.heads, task % params.heads);
}

// Computes out of a row and head from its first `length` keys. All threads of a workgroup must call it.
fn attend(row: u32, h: u32, length: u32, thread: u32) {
  let lane = thread % ROW_GROUP;
  let kv_stride = 2u * params.heads * WIDTH;
  var q: array<vec4<f32>, CHUNKS>;
  var o: array<vec4<f32>, CHUNKS>;
  var top = MASKED;
  var total = 0.0;
  if (length > 0u) {
    for (var c = 0u; c < params.chunks; c++) {
      q[c] = load_q((row * params.q_stride + h * WIDTH) / VEC, c) * (params.scale * LOG2_E);
    }
  }
  for (var j = lane; j < length; j += ROW_GROUP) {
    let found = key_row(row, j);
    if (found < HIDDEN) {
      let k = (found * kv_stride + h * WIDTH) / VEC;
      let v = k + params.heads * (WIDTH / VEC);
      var dots = vec4(0.0);
      for (var c = 0u; c < params.chunks; c++) { dots += q[c] * load_kv(k, c); }
      let score = (dots.x + dots.y) + (dots.z + dots.w) + LOG2_E * position_bias(h, j);
      let m = max(top, score);
      let shrink = exp2(top - m);
      let p = exp2(score - m);
      top = m;
      total = total * shrink + p;
      for (var c = 0u; c < params.chunks; c++) { o[c] = o[c] * shrink + p * load_kv(v, c); }
    }
  }
  let to = (row * params.heads + h) * (WIDTH / VEC);
  if (ROW_GROUP == 1u) {
    let scale = select(0.0, 1.0 / total, total > 0.0);
    for (var c = 0u; c < CHUNKS && row < params.rows; c++) { store_out(to, c, o[c] * scale); }
  } else {
    row_group_scores[thread] = vec2(top, total);
    for (var c = 0u; c < params.chunks; c++) { row_group_values[(thread * CHUNKS + c) % (THREADS * CHUNKS)] = o[c]; }
    workgroupBarrier();
    for (var t = 0u; t < ROW_GROUP; t++) { top = max(top, row_group_scores[t].x); }
    total = 0.0;
    for (var t = 0u; t < ROW_GROUP; t++) { total += row_group_scores[t].y * exp2(row_group_scores[t].x - top); }
    let scale = select(0.0, 1.0 / total, total > 0.0);
    for (var c = lane; c < CHUNKS && row < params.rows; c += ROW_GROUP) {
      var sum = vec4(0.0);
      for (var t = 0u; t < ROW_GROUP; t++) { sum += row_group_values[t * CHUNKS + c] * exp2(row_group_scores[t].x - top); }
      store_out(to, c, sum * scale);
    }
  }
}
