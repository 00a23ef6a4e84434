// One step of beam search with K beams per sentence: log_probs and candidates [R, K], all others [R], R =
// sentences · K. The candidates of a sentence are the K best tokens and the end of each of its K rows, by the
// sum of log-probabilities. Chosen are the K best that continue, and those ends that are among the K best of
// all (the rule of Hugging Face's beam search; with one beam it is greedy decoding). At position 0 only the
// first row counts. Scores below MASKED_BOUND never end. With SHRINKS the rule is Marian's: as many candidates are
// chosen as beams run, ends included; the rows that are left over get the score MASKED and run no more. One thread
// per sentence.
// include shared/kernel.wgsl

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
override SHRINKS: bool = false;

@compute @workgroup_size(THREADS)
fn beam_select(thread: Thread) {
  let b = group_index(thread) * THREADS + thread.index;
  if (b >= params.sentences) {
    return;
  }
  let first = b * BEAMS;
  var before: array<f32, BEAMS>;
  // Number of selected tokens of each row, and the score of its end token until that is selected.
  var next: array<u32, BEAMS>;
  var pending: array<f32, BEAMS>;
  for (var k = 0u; k < BEAMS; k++) {
    before[k] = select(scores[first + k], select(MASKED, 0.0, k == 0u), step.position == 0u);
    pending[k] = before[k] + ends[first + k];
    ended[first + k] = MASKED;
  }
  var chosen = 0u;
  var running = BEAMS; // number of candidates to choose with SHRINKS
  if (SHRINKS && step.position > 0u) {
    running = 0u;
    for (var k = 0u; k < BEAMS; k++) { running += select(0u, 1u, before[k] > MASKED_BOUND); }
  }
  for (var rank = 0u; chosen < BEAMS; rank++) {
    if (SHRINKS && rank >= running) {
      tokens[first + chosen] = candidates[first * BEAMS];
      parents[first + chosen] = 0;
      totals[first + chosen] = MASKED;
      scores[first + chosen] = MASKED;
      chosen += 1u;
      continue;
    }
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
      if (rank < BEAMS && best > MASKED_BOUND) {
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
