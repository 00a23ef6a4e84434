// Sampling: a random token of softmax(logits / temperature), restricted to the top_k most probable tokens, and of those
// to the fewest whose mass is at least top_p (nucleus sampling; Holtzman et al., 2020, "The curious case of neural text
// degeneration"). Tokens as probable as the last are included, except with a top_k of 1, which is greedy: of equal ones
// the lowest id. The limits are thresholds of probability, found by a search over their bits instead of a sort; the row
// then holds the probabilities. The draw is an exponential race (the Gumbel-max trick): each token takes an
// exponentially distributed time divided by its probability, and the first wins. Its random numbers depend only on
// seed, position, stream and token, so the choice does not depend on the division of work.
// include shared/random.wgsl
// include decoding/best-tokens.wgsl

// Temperature, top_p, top_k (0: all), unused.
@group(0) @binding(8) var<storage, read> sampling: array<f32>;
@group(0) @binding(9) var<storage, read> streams: array<u32>;

var<workgroup> row_group_sums: array<vec3<f32>, THREADS>;

fn row_group_total(own: vec3<f32>, thread: u32) -> vec3<f32> {
  if (ROW_GROUP == 1u) { return own; }
  row_group_sums[thread] = own;
  workgroupBarrier();
  for (var stride = ROW_GROUP / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP < stride) { row_group_sums[thread] += row_group_sums[thread + stride]; }
    workgroupBarrier();
  }
  let total = row_group_sums[thread - thread % ROW_GROUP];
  workgroupBarrier();
  return total;
}

// Mass of the probabilities at or above each of three thresholds, or their number.
fn reached(row: u32, vecs: u32, limits: vec3<f32>, masses: bool, thread: u32) -> vec3<f32> {
  var sums = vec3(0.0);
  for (var c = thread % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    let p = logits[row * vecs + c];
    for (var j = 0u; j < VEC; j++) {
      let x = vec_element(p, j);
      sums += select(vec3(0.0), vec3(select(1.0, x, masses)), vec3(x) >= limits);
    }
  }
  return row_group_total(sums, thread);
}

// The largest threshold at which mass or number reaches `aim`: a search by two bits a pass. Probabilities are at most
// 1, whose bits are below 2^30.
fn threshold(row: u32, vecs: u32, aim: f32, masses: bool, thread: u32) -> f32 {
  var bits = 0u;
  for (var k = 1u; k <= 15u; k++) {
    let shift = 30u - 2u * k;
    let tried = vec3(bits) + (vec3(1u, 2u, 3u) << vec3(shift));
    let enough = reached(row, vecs, bitcast<vec3<f32>>(tried), masses, thread) >= vec3(aim);
    bits += (u32(enough.x) + u32(enough.y) + u32(enough.z)) << shift;
  }
  return bitcast<f32>(bits);
}

// Exponentially distributed with mean 1, from 32 random bits. Accurate for small times too, which decide the race.
fn exponential(bits: u32) -> f32 {
  let u = min((f32(bits) + 0.5) / 4294967296.0, 0.99999994);
  return select(-log(1.0 - u), u + 0.5 * u * u, u < 1e-3);
}

@compute @workgroup_size(THREADS)
fn sample_token(thread: Thread) {
  let row = row_of(thread);
  let ruled = scan_ruled(row, true, thread.index);
  let largest = ruled.best.value;
  let vecs = select(0u, params.cols / VEC, row < params.rows);
  var first = 0u;
  if (sampling[2] == 1.0 && row < params.rows) { first = token_of(row, ruled.best, NO_TOKEN); }
  if (ROW_GROUP > 1u) { workgroupBarrier(); }
  for (var c = thread.index % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    logits[row * vecs + c] = exp((logits[row * vecs + c] - largest) / sampling[0]);
  }
  var limit = 0.0;
  if (sampling[2] > 0.0) {
    limit = threshold(row, vecs, sampling[2], false, thread.index);
  }
  if (sampling[1] < 1.0) {
    let mass = reached(row, vecs, vec3(limit), true, thread.index).x;
    limit = max(limit, threshold(row, vecs, sampling[1] * mass, true, thread.index));
  }
  let key = dropout_key(step.seed, step.position, streams[min(row, params.rows - 1u)]);
  var best = Best(-1.0, params.end);
  for (var c = thread.index % ROW_GROUP; c < vecs; c += ROW_GROUP) {
    let p = logits[row * vecs + c];
    for (var j = 0u; j < VEC; j++) {
      let x = vec_element(p, j);
      let i = VEC * c + j;
      if (x > 0.0 && x >= limit && (sampling[2] != 1.0 || i == first)) {
        let speed = x / exponential(pcg(pcg(i) + key));
        if (speed > best.value) { best = Best(speed, i); }
      }
    }
  }
  best = row_group_best(best, thread.index);
  let c = best.index / VEC;
  if (row < params.rows && owns(thread.index, c)) {
    let p = vec_element(logits[row * vecs + c], best.index % VEC);
    write_token(row, best.index, log_prob_of(log(p) * sampling[0] + largest, ruled), largest > DEAD);
  }
}
