// Attention of one query per row to cached keys and values: out = softmax(scale·q·kᵀ)·v per head, by an
// online softmax.
//   attend_row    a thread computes a row and head, without a barrier, for CPU adapters
//   attend_tiles  a workgroup computes QUERIES rows of a sentence and a head, which share the keys that it reads
// The including file defines
//   fn first_key(row: u32) -> u32                the first row of kv that a query row can see
//   fn slot_of(row: u32, j: u32) -> u32          the row of kv with key j, from there, plus HIDDEN if it is masked
//   fn position_bias(h: u32, j: u32) -> f32      the bias of the score of key j in head h
// In the variant `packed` a vector of kv is two words with four numbers as f16, for head widths of whole vectors.
// part of decoding/cached-self-attention.wgsl
// include shared/kernel.wgsl
// include shared/chunks.wgsl

struct Params {
  rows: u32, // queries
  beams: u32, // queries per sentence
  keys: u32, // capacity in keys of a query row (self-attention) or a sentence (cross-attention)
  heads: u32,
  q_stride: u32, // elements from one row of q to the next
  scale: f32,
  farthest: u32, // the position bias has 2·farthest + 1 distances
  chunks: u32, // CHUNKS as a loop bound that compilers do not know
}

@group(0) @binding(0) var<uniform> params: Params;

const ROW_THREADS: u32 = 32u;

// The vector of kv at which head h of a row of keys starts; its values are params.heads · WIDTH / VEC
// further.
fn key_at(row: u32, h: u32) -> u32 { return (row * 2u * params.heads + h) * (WIDTH / VEC); }

fn query(row: u32, h: u32, c: u32) -> vec4<f32> {
  return load_q((row * params.q_stride + h * WIDTH) / VEC, c) * (params.scale * LOG2_E);
}

// Chunk c of the head of keys or values that starts at vector `at`.
@if(packed) fn load_kv(at: u32, c: u32) -> vec4<f32> { return vec4(unpack2x16float(kv[at + c].x), unpack2x16float(kv[at + c].y)); }
@elif(scalar) fn load_kv(at: u32, c: u32) -> vec4<f32> {
  let i = chunk_indices(at, c);
  return within_head(vec4(kv[i.x], kv[i.y], kv[i.z], kv[i.w]), c);
}
@else fn load_kv(at: u32, c: u32) -> vec4<f32> { return kv[at + c]; }

fn sum4(v: vec4<f32>) -> f32 { return (v.x + v.y) + (v.z + v.w); }

// Computes out of a row and head from its first `length` keys.
fn attend_row(row: u32, h: u32, length: u32) {
  var q: array<vec4<f32>, CHUNKS>;
  var o: array<vec4<f32>, CHUNKS>;
  var top = MASKED;
  var total = 0.0;
  let first = first_key(row);
  // Compilers unroll loops for narrow heads, which takes seconds for wide ones.
  let chunks = select(params.chunks, CHUNKS, CHUNKS <= 16u);
  for (var c = 0u; c < chunks; c++) { q[c] = query(row, h, c); }
  for (var j = 0u; j < length; j++) {
    let slot = slot_of(row, j);
    if (slot < HIDDEN) {
      let k = key_at(first + slot, h);
      let v = k + params.heads * (WIDTH / VEC);
      var dots = vec4(0.0);
      for (var c = 0u; c < chunks; c++) { dots += q[c] * load_kv(k, c); }
      let score = sum4(dots) + LOG2_E * position_bias(h, j);
      let m = max(top, score);
      let rescale = exp2(top - m);
      let p = exp2(score - m);
      top = m;
      total = total * rescale + p;
      for (var c = 0u; c < chunks; c++) { o[c] = o[c] * rescale + p * load_kv(v, c); }
    }
  }
  let scale = select(0.0, 1.0 / total, total > 0.0);
  for (var c = 0u; c < CHUNKS; c++) { store_out((row * params.heads + h) * (WIDTH / VEC), c, o[c] * scale); }
}

// A tile has a key for each thread, in PARTS parts. Thread (x, y) computes the scores of key x of part y, and
// then adds up column chunk x of the values of part y, which has a softmax of its own until the parts are
// combined at the end.
const PARTS: u32 = 4u;
const QUERIES: u32 = 1u;
// Chunks of the widest heads whose loops compilers may unroll.
const UNROLL: u32 = 16u;

var<workgroup> tile_queries: array<array<vec4<f32>, CHUNKS>, QUERIES>;
var<workgroup> value_starts: array<array<u32, CHUNKS>, PARTS>; // index of the first vector of the values of each key
var<workgroup> tile_scores: array<array<array<f32, CHUNKS>, PARTS>, QUERIES>;
var<workgroup> part_sums: array<array<vec4<f32>, CHUNKS>, PARTS>;
var<workgroup> part_softmax: array<vec2<f32>, PARTS>; // maximum score, sum of exponentials

// Computes out of `count` rows and a head from their first `length` keys. All threads of a workgroup must
// call it. Masked keys read row `spare` of kv instead, whose numbers are finite, so that loops have no
// branches.
fn attend_tiles(row: u32, count: u32, h: u32, length: u32, spare: u32, thread: u32) {
  let x = thread % CHUNKS;
  let y = min(thread / CHUNKS, PARTS - 1u); // the bound lets Tint prove indices
  for (var n = 0u; n < QUERIES; n++) {
    if (y == 0u) { tile_queries[n][x] = query(row + min(n, count - 1u), h, x); }
  }
  var tops: array<f32, QUERIES>;
  var totals: array<f32, QUERIES>;
  var sums: array<vec4<f32>, QUERIES>;
  for (var n = 0u; n < QUERIES; n++) { tops[n] = MASKED; }
  let chunks = select(min(params.chunks, CHUNKS), CHUNKS, CHUNKS <= UNROLL);
  let first = first_key(row);
  workgroupBarrier();
  for (var start = 0u; start < length; start += PARTS * CHUNKS) {
    let j = start + y * CHUNKS + x;
    var slot = HIDDEN;
    if (j < length) { slot = slot_of(row, j); }
    let k = key_at(select(spare, first + slot, slot < HIDDEN), h);
    var dots = array<vec4<f32>, QUERIES>();
    for (var c = 0u; c < chunks; c++) {
      let key = load_kv(k, c);
      for (var n = 0u; n < QUERIES; n++) { dots[n] += tile_queries[n][c] * key; }
    }
    let bias = LOG2_E * position_bias(h, j);
    value_starts[y][x] = k + params.heads * (WIDTH / VEC);
    for (var n = 0u; n < QUERIES; n++) {
      tile_scores[n][y][x] = select(LOWEST, sum4(dots[n]) + bias, slot < HIDDEN);
    }
    workgroupBarrier();
    for (var n = 0u; n < QUERIES; n++) {
      var m = tops[n];
      for (var i = 0u; i < chunks; i++) { m = max(m, tile_scores[n][y][i]); }
      let rescale = exp2(tops[n] - m);
      tops[n] = m;
      totals[n] *= rescale;
      sums[n] *= rescale;
    }
    for (var i = 0u; i < chunks; i++) {
      let value = load_kv(value_starts[y][i], x);
      for (var n = 0u; n < QUERIES; n++) {
        let p = exp2(tile_scores[n][y][i] - tops[n]);
        totals[n] += p;
        sums[n] += p * value;
      }
    }
    workgroupBarrier();
  }
  // unroll
  for (var n = 0u; n < QUERIES; n++) {
    part_sums[y][x] = sums[n];
    if (x == 0u) { part_softmax[y] = vec2(tops[n], totals[n]); }
    workgroupBarrier();
    if (y == 0u && n < count) {
      var top = MASKED;
      for (var p = 0u; p < PARTS; p++) { top = max(top, part_softmax[p].x); }
      var total = 0.0;
      var sum = vec4(0.0);
      for (var p = 0u; p < PARTS; p++) {
        let rescale = exp2(part_softmax[p].x - top);
        total += part_softmax[p].y * rescale;
        sum += part_sums[p][x] * rescale;
      }
      let scale = select(0.0, 1.0 / total, total > 0.0);
      store_out(((row + n) * params.heads + h) * (WIDTH / VEC), x, sum * scale);
    }
    workgroupBarrier();
  }
}
