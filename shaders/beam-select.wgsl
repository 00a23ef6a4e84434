// One step of beam search: of the K best tokens and the end of each of a sentence's K rows, by the sum of log-probabilities, the K
// best that go on, and those ends that are among the K best of all (the rule of Hugging Face's beam search, which with one beam is
// greedy decoding). At position 0 only the first row lives. What lies below DEAD never ends. A thread a sentence.
// include lib/index.wgsl
// include lib/step.wgsl

struct Params {
  sentences: u32,
}

@group(0) @binding(0) var<storage, read> log_probs: array<f32>;
@group(0) @binding(1) var<storage, read> candidates: array<i32>;
@group(0) @binding(2) var<storage, read> ends: array<f32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;
@group(0) @binding(4) var<storage, read_write> tokens: array<i32>;
@group(0) @binding(5) var<storage, read_write> parents: array<i32>;
@group(0) @binding(6) var<storage, read_write> totals: array<f32>;
@group(0) @binding(7) var<storage, read_write> ended: array<f32>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> step: Step;

const THREADS: u32 = 32u;
const BEAMS: u32 = 4u;
const MASKED: f32 = -1e30;
const DEAD: f32 = -1e29;
// Below the sum of any number of masked scores.
const LOWEST: f32 = -3e38;

@compute @workgroup_size(THREADS)
fn beam_select(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let b = group_index(group, groups) * THREADS + thread;
  if (b >= params.sentences) {
    return;
  }
  let first = b * BEAMS;
  var before: array<f32, BEAMS>;
  // How many tokens of each row have been looked at, and its end, until it was.
  var next: array<u32, BEAMS>;
  var pending: array<f32, BEAMS>;
  for (var k = 0u; k < BEAMS; k++) {
    before[k] = select(scores[first + k], select(MASKED, 0.0, k == 0u), step.position == 0u);
    pending[k] = before[k] + ends[first + k];
    ended[first + k] = MASKED;
  }
  var chosen = 0u;
  for (var rank = 0u; chosen < BEAMS; rank++) {
    var best = LOWEST;
    var row = 0u;
    var is_end = false;
    for (var k = 0u; k < BEAMS; k++) {
      if (next[k] < BEAMS) {
        let score = before[k] + log_probs[(first + k) * BEAMS + next[k]];
        if (score > best) {
          best = score;
          row = k;
          is_end = false;
        }
      }
      if (pending[k] > best) {
        best = pending[k];
        row = k;
        is_end = true;
      }
    }
    if (is_end) {
      pending[row] = LOWEST;
      if (rank < BEAMS && best > DEAD) {
        ended[first + row] = best;
      }
    } else {
      tokens[first + chosen] = candidates[(first + row) * BEAMS + next[row]];
      parents[first + chosen] = i32(row);
      totals[first + chosen] = best;
      scores[first + chosen] = best;
      next[row] += 1u;
      chosen += 1u;
    }
  }
}
