// Attention of a row and a head to cached keys and values, for row-sublayers.wgsl: out = softmax(scale·q·kᵀ)·v by
// an online softmax over blocks of THREADS keys. Each thread computes the score of a key, then adds up a vector of
// the values of every PARTS-th key.
// part of rows/row-sublayers.wgsl

@group(0) @binding(6) var<storage, read_write> cache: array<vec4<f32>>; // [R, keys, 2HW]
@group(0) @binding(10) var<storage, read> source: array<vec4<f32>>; // [B, keys, 2HW]
@group(0) @binding(7) var<storage, read> slots: array<u32>; // self-attention [R, keys]; cross-attention: lengths [B]

const W4: u32 = (WIDTH + 3u) / 4u; // vectors of a head
const PARTS: u32 = THREADS / W4;

var<workgroup> scores: array<f32, THREADS>;
var<workgroup> key_rows: array<u32, THREADS>;
var<workgroup> part_sums: array<vec4<f32>, THREADS>;
var<workgroup> part_totals: array<f32, THREADS>;

// Vector c of head part `part` (0: q, 1: k, 2: v) of the row's own projections.
fn own_vector(part: u32, c: u32) -> vec4<f32> {
  let at = min(part * WIDTH + 4u * c, 3u * WIDTH - 4u);
  return vec4(head_qkv[at], head_qkv[at + 1u], head_qkv[at + 2u], head_qkv[at + 3u]);
}

// The first vector of the key of head h in a row of keys and values.
fn key_at(kv_row: u32, h: u32) -> u32 { return (kv_row * 2u * params.heads + h) * W4; }

const OWN: u32 = 0xffffffffu; // the row of a key that is not in the cache yet
const NO_KEY: u32 = 0xfffffffeu;

// Vector c of a key (part 1) or value (part 2).
fn vector_of_cache(kv_row: u32, h: u32, part: u32, c: u32) -> vec4<f32> {
  if (kv_row == OWN) { return own_vector(part, c); }
  return cache[key_at(kv_row, h) + (part - 1u) * params.heads * W4 + c];
}

fn vector_of_source(kv_row: u32, h: u32, part: u32, c: u32) -> vec4<f32> {
  return source[key_at(kv_row, h) + (part - 1u) * params.heads * W4 + c];
}

// The row of keys and values of key j; NO_KEY if it is hidden.
fn key_of_cache(row: u32, j: u32, length: u32) -> u32 {
  if (j >= length) { return NO_KEY; }
  let slot = slots[row * params.keys + j];
  if (slot >= HIDDEN) { return NO_KEY; }
  if (j + 1u == length) { return OWN; }
  return row / params.beams * params.beams * params.keys + slot;
}

fn key_of_source(row: u32, j: u32, length: u32) -> u32 {
  return select(NO_KEY, row / params.beams * params.keys + j, j < length);
}

// Attends to `length` keys; the result is in the numbers `inner`. All threads of the workgroup must call it.
@each(cache, source) fn attend_EACH(row: u32, h: u32, length: u32, thread: u32) {
  let c = thread % W4;
  let part = thread / W4;
  var top = MASKED;
  var total = 0.0;
  var sum = vec4(0.0);
  for (var start = 0u; start < length; start += THREADS) {
    let j = start + thread;
    let at = key_of_EACH(row, j, length);
    var score = LOWEST;
    if (at != NO_KEY) {
      var dots = vec4(0.0);
      for (var i = 0u; i < W4; i++) { dots += own_vector(0u, i) * vector_of_EACH(at, h, 1u, i); }
      score = sum4(dots) * (params.scale * LOG2_E);
    }
    scores[thread] = score;
    key_rows[thread] = at;
    workgroupBarrier();
    let count = min(THREADS, length - start);
    var m = top;
    for (var i = 0u; i < count; i++) { m = max(m, scores[i]); }
    let rescale = exp2(top - m);
    top = m;
    total *= rescale;
    sum *= rescale;
    if (part < PARTS) {
      for (var i = part; i < count; i += PARTS) {
        let key = key_rows[i];
        if (key != NO_KEY) {
          let p = exp2(scores[i] - m);
          total += p;
          sum += p * vector_of_EACH(key, h, 2u, c);
        }
      }
    }
    workgroupBarrier();
  }
  part_sums[thread] = sum;
  part_totals[thread] = total;
  workgroupBarrier();
  if (thread < W4) {
    var all = vec4(0.0);
    var weight = 0.0;
    for (var p = 0u; p < PARTS; p++) {
      all += part_sums[p * W4 + thread];
      weight += part_totals[p * W4 + thread];
    }
    all *= select(0.0, 1.0 / weight, weight > 0.0);
    for (var i = 0u; i < 4u; i++) { inner[4u * thread + i] = all[i]; }
  }
  workgroupBarrier();
}

// Self-attention of the newest token; stores its key and value in row (row, step.position) of the cache.
fn attend_self(row: u32, h: u32, thread: u32) {
  let position = min(step.position, params.keys - 1u);
  attend_cache(row, h, position + 1u, thread);
  if (thread < W4) {
    let own = key_at(row * params.keys + position, h);
    cache[own + thread] = own_vector(1u, thread);
    cache[own + params.heads * W4 + thread] = own_vector(2u, thread);
  }
}

// Cross-attention to the first keys of the row's sentence.
fn attend_cross(row: u32, h: u32, thread: u32) {
  attend_source(row, h, min(slots[row / params.beams], params.keys), thread);
}
