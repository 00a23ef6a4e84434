// Sampling: a random token of softmax(logits / temperature), restricted to the top_k most probable tokens,
// and of those to the fewest whose mass is at least top_p (nucleus sampling; Holtzman et al., 2020, "The
// curious case of neural text degeneration"). Tokens as probable as the last are included, except with a
// top_k of 1, which is greedy: of equal ones the lowest id. The limits are thresholds of probability, found
// by a search over their bits instead of a sort; the row then holds exp((z - max) / temperature). A thread
// keeps its part of the row in registers if it fits. The draw is an exponential race (the Gumbel-max trick):
// each token takes an exponentially distributed time divided by its probability, and the first wins. The
// random numbers depend only on seed, position, stream and token, not on the division of work.
// part of decoding/next-token.wgsl
// include shared/random.wgsl
// include decoding/best-tokens.wgsl

// Temperature, top_p, top_k (0: all), unused.
@group(0) @binding(8) var<storage, read> sampling: array<f32>;
@group(0) @binding(9) var<storage, read> streams: array<u32>; // [R], the random stream of each row

const HELD: u32 = 0u; // vectors of a row that a thread holds in registers; 0: it reads them from memory
const HELD_SIZE: u32 = max(HELD, 1u);

var<workgroup> row_group_sums: array<vec3<f32>, THREADS>;

fn row_group_total(own: vec3<f32>, thread: u32) -> vec3<f32> {
  if (ROW_GROUP_SIZE == 1u) { return own; }
  row_group_sums[thread] = own;
  workgroupBarrier();
  for (var stride = ROW_GROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP_SIZE < stride) { row_group_sums[thread] += row_group_sums[thread + stride]; }
    workgroupBarrier();
  }
  let total = row_group_sums[thread - thread % ROW_GROUP_SIZE];
  workgroupBarrier();
  return total;
}

// A row, or the part of it that a thread holds; vecs: 0 if there is no such row.
struct Part {
  row: u32,
  vecs: u32,
  held: array<Vec, HELD_SIZE>,
}

// The scan of the part of the row that the thread holds. Vectors past the end of the row are LOWEST.
fn scan_held(part: ptr<function, Part>, thread: u32) -> RowScan {
  var largest = LOWEST;
  var first = thread % ROW_GROUP_SIZE;
  // unroll
  for (var k = 0u; k < HELD; k++) {
    let top = vec_max((*part).held[k]);
    if (top > largest) { largest = top; first = thread % ROW_GROUP_SIZE + k * ROW_GROUP_SIZE; }
  }
  var exponentials = Vec(0.0);
  // unroll
  for (var k = 0u; k < HELD; k++) { exponentials += exp((*part).held[k] - largest); }
  return RowScan(largest, first, largest, vec_sum(exponentials), 0.0);
}

// Adds the probabilities of a vector at or above each of three thresholds, or their number.
fn reached_by(sums: vec3<f32>, p: Vec, limits: vec3<f32>, masses: bool) -> vec3<f32> {
  var total = sums;
  for (var j = 0u; j < VEC; j++) {
    let x = vec_element(p, j);
    total += select(vec3(0.0), vec3(select(1.0, x, masses)), vec3(x) >= limits);
  }
  return total;
}

// Mass of the probabilities at or above each of three thresholds, or their number.
fn reached(part: ptr<function, Part>, limits: vec3<f32>, masses: bool, thread: u32) -> vec3<f32> {
  var sums = vec3(0.0);
  if (HELD > 0u) {
    // unroll
    for (var k = 0u; k < HELD; k++) { sums = reached_by(sums, (*part).held[k], limits, masses); }
  } else {
    for (var c = thread % ROW_GROUP_SIZE; c < (*part).vecs; c += ROW_GROUP_SIZE) {
      sums = reached_by(sums, logits[(*part).row * (*part).vecs + c], limits, masses);
    }
  }
  return row_group_total(sums, thread);
}

// The largest threshold at which mass or number reaches `aim`: a search by two bits a pass. Probabilities are
// at most 1, whose bits are below 2^30.
fn threshold(part: ptr<function, Part>, aim: f32, masses: bool, thread: u32) -> f32 {
  var bits = 0u;
  for (var k = 1u; k <= 15u; k++) {
    let shift = 30u - 2u * k;
    let tried = vec3(bits) + (vec3(1u, 2u, 3u) << vec3(shift));
    let enough = reached(part, bitcast<vec3<f32>>(tried), masses, thread) >= vec3(aim);
    bits += (u32(enough.x) + u32(enough.y) + u32(enough.z)) << shift;
  }
  return bitcast<f32>(bits);
}

// Exponentially distributed with mean 1, from 32 random bits. Accurate for small times too, which decide the
// race.
fn exponential(bits: u32) -> f32 {
  let u = min((f32(bits) + 0.5) / 4294967296.0, 0.99999994);
  return select(-log(1.0 - u), u + 0.5 * u * u, u < 1e-3);
}

// The fastest token of a vector, without tokens below `limit`; with a top_k of 1 only `first`.
fn fastest(best: Best, p: Vec, c: u32, limit: f32, first: u32, key: u32) -> Best {
  var fastest = best;
  for (var j = 0u; j < VEC; j++) {
    let x = vec_element(p, j);
    let i = VEC * c + j;
    if (x > 0.0 && x >= limit && (sampling[2] != 1.0 || i == first)) {
      let speed = x / exponential(pcg(pcg(i) + key));
      if (speed > fastest.value) { fastest = Best(speed, i); }
    }
  }
  return fastest;
}

@compute @workgroup_size(THREADS)
fn sample_token(thread: Thread) {
  let row = row_of(thread);
  let own = thread.index % ROW_GROUP_SIZE;
  let exists = row < params.rows;
  var part: Part;
  part.row = row;
  part.vecs = select(0u, params.cols / VEC, exists);
  let start = row * part.vecs;
  var removed = ForbiddenTokens(LOWEST, 0.0);
  if (RULES && exists) { removed = apply_rules(row, thread.index); }
  if (exists) { hide_padding(row, thread.index); }
  var scan: RowScan;
  if (HELD > 0u) {
    // unroll
    for (var k = 0u; k < HELD; k++) {
      part.held[k] = Vec(LOWEST);
      if (own + k * ROW_GROUP_SIZE < part.vecs) { part.held[k] = logits[start + own + k * ROW_GROUP_SIZE]; }
    }
    scan = scan_held(&part, thread.index);
  } else {
    scan = scan_share(start, own, part.vecs);
  }
  let ruled = merge_ruled_scans(scan, removed, MASKED, thread.index);
  let largest = ruled.best.value;
  var first = 0u;
  if (sampling[2] == 1.0 && exists) { first = token_of(row, ruled.best, NO_TOKEN); }
  if (ROW_GROUP_SIZE > 1u) { workgroupBarrier(); }
  if (HELD > 0u) {
    // unroll
    for (var k = 0u; k < HELD; k++) {
      part.held[k] = exp((part.held[k] - largest) / sampling[0]);
      if (own + k * ROW_GROUP_SIZE < part.vecs) { logits[start + own + k * ROW_GROUP_SIZE] = part.held[k]; }
    }
  } else {
    for (var c = own; c < part.vecs; c += ROW_GROUP_SIZE) {
      logits[start + c] = exp((logits[start + c] - largest) / sampling[0]);
    }
  }
  var limit = 0.0;
  if (sampling[2] > 0.0) { limit = threshold(&part, sampling[2], false, thread.index); }
  if (sampling[1] < 1.0) {
    let mass = reached(&part, vec3(limit), true, thread.index).x;
    limit = max(limit, threshold(&part, sampling[1] * mass, true, thread.index));
  }
  let key = dropout_key(step.seed, step.position, streams[min(row, params.rows - 1u)]);
  var best = Best(-1.0, params.end);
  if (HELD > 0u) {
    // unroll
    for (var k = 0u; k < HELD; k++) { best = fastest(best, part.held[k], own + k * ROW_GROUP_SIZE, limit, first, key); }
  } else {
    for (var c = own; c < part.vecs; c += ROW_GROUP_SIZE) {
      best = fastest(best, logits[start + c], c, limit, first, key);
    }
  }
  best = row_group_best(best, thread.index);
  let c = best.index / VEC;
  if (exists && owns(thread.index, c)) {
    let p = vec_element(logits[start + c], best.index % VEC);
    write_token(row, best.index, log_prob_of(log(p) * sampling[0] + largest, ruled), largest > MASKED_BOUND);
  }
}
