// A token by chance: softmax of logits / temperature, cut to the top_k most probable tokens, and of those to the fewest whose mass is
// at least top_p (Holtzman et al., 2020, "The curious case of neural text degeneration"); tokens as probable as the last are kept too,
// except with a top_k of 1, which is greedy: of equal ones the lowest id.
// The cuts are thresholds, found by their bits: more of what is at or above them is not needed. The draw is a race: each token takes an
// exponentially distributed time divided by its probability, and the first wins. Its random numbers are functions of seed, position,
// stream and token alone, so the choice does not depend on how the work is divided.
// include lib/random.wgsl
// include lib/team-best.wgsl

// Temperature, top_p, top_k (0: all), one spare.
@group(0) @binding(8) var<storage, read> sampling: array<f32>;
@group(0) @binding(9) var<storage, read> streams: array<u32>;

var<workgroup> team_sums: array<vec3<f32>, THREADS>;

fn team_total(own: vec3<f32>, thread: u32) -> vec3<f32> {
  if (TEAM == 1u) {
    return own;
  }
  team_sums[thread] = own;
  workgroupBarrier();
  for (var stride = TEAM / 2u; stride > 0u; stride /= 2u) {
    if (thread % TEAM < stride) {
      team_sums[thread] += team_sums[thread + stride];
    }
    workgroupBarrier();
  }
  let total = team_sums[thread - thread % TEAM];
  workgroupBarrier();
  return total;
}

// What is at or above each of three thresholds: probabilities, or how many they are.
fn reached(row: u32, cells: u32, least: vec3<f32>, masses: bool, thread: u32) -> vec3<f32> {
  var sums = vec3(0.0);
  for (var c = thread % TEAM; c < cells; c += TEAM) {
    let p = logits[row * cells + c];
    for (var j = 0u; j < CELL; j++) {
      let x = cell_number(p, j);
      sums += select(vec3(0.0), vec3(select(1.0, x, masses)), vec3(x) >= least);
    }
  }
  return team_total(sums, thread);
}

// The largest threshold that `aim` of it reaches, two bits at a time; probabilities are at most 1, whose bits are below 2^30.
fn threshold(row: u32, cells: u32, aim: f32, masses: bool, thread: u32) -> f32 {
  var bits = 0u;
  for (var k = 1u; k <= 15u; k++) {
    let shift = 30u - 2u * k;
    let tried = vec3(bits) + (vec3(1u, 2u, 3u) << vec3(shift));
    let enough = reached(row, cells, bitcast<vec3<f32>>(tried), masses, thread) >= vec3(aim);
    bits += (u32(enough.x) + u32(enough.y) + u32(enough.z)) << shift;
  }
  return bitcast<f32>(bits);
}

// Exponentially distributed with mean 1, from 32 random bits; exact for small times too, which decide the race.
fn exponential(bits: u32) -> f32 {
  let u = min((f32(bits) + 0.5) / 4294967296.0, 0.99999994);
  return select(-log(1.0 - u), u + 0.5 * u * u, u < 1e-3);
}

@compute @workgroup_size(THREADS)
fn sample_token(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * ROWS + thread / TEAM;
  let ruled = scan_ruled(row, thread);
  let largest = ruled.scan.largest;
  let cells = select(0u, params.cols / CELL, row < params.rows);
  for (var c = thread % TEAM; c < cells; c += TEAM) {
    logits[row * cells + c] = exp((logits[row * cells + c] - largest) / sampling[0]);
  }
  var least = 0.0;
  if (sampling[2] > 0.0) {
    least = threshold(row, cells, sampling[2], false, thread);
  }
  if (sampling[1] < 1.0) {
    let mass = reached(row, cells, vec3(least), true, thread).x;
    least = max(least, threshold(row, cells, sampling[1] * mass, true, thread));
  }
  let key = dropout_key(step.seed, step.position, streams[min(row, params.rows - 1u)]);
  var best = Best(-1.0, params.end);
  for (var c = thread % TEAM; c < cells; c += TEAM) {
    let p = logits[row * cells + c];
    for (var j = 0u; j < CELL; j++) {
      let x = cell_number(p, j);
      let i = CELL * c + j;
      if (x > 0.0 && x >= least && (sampling[2] != 1.0 || i == ruled.scan.index)) {
        let speed = x / exponential(pcg(pcg(i) + key));
        if (speed > best.value) {
          best = Best(speed, i);
        }
      }
    }
  }
  best = team_best(best, thread);
  let cell = best.index / CELL;
  if (row < params.rows && cell % TEAM == thread % TEAM) {
    let p = cell_number(logits[row * cells + cell], best.index % CELL);
    write_token(row, best.index, log_prob_of(log(p) * sampling[0] + largest, ruled), largest > DEAD);
  }
}
