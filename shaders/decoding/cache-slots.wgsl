// KV cache slots: the history of each beam, updated before a decoding step. For all positions t before
// step.position
//   slots[r, t] = slots[parent(r), t],  tokens[r, t] = tokens[parent(r), t]
// and at step.position the slot is r's own, k·T + t (k is the number of r in its sentence), with the flag
// HIDDEN if the newest token is padding, and the token is the newest. Position 0 is never hidden, since some
// models start with padding. One thread per sentence and position: it permutes the BEAMS rows in registers.
// include shared/kernel.wgsl

struct Params {
  sentences: u32,
  positions: u32,
  pad: i32,
}

@group(0) @binding(0) var<storage, read> newest: array<i32>;
@group(0) @binding(1) var<storage, read> parents: array<i32>;
@group(0) @binding(2) var<storage, read_write> slots: array<u32>;
@group(0) @binding(3) var<storage, read_write> tokens: array<i32>;
@group(0) @binding(4) var<uniform> params: Params;
@group(0) @binding(5) var<uniform> step: Step;

const THREADS: u32 = 64u;
const BEAMS: u32 = 1u;

@compute @workgroup_size(THREADS)
fn cache_slots(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  let t = i % params.positions;
  let first = i / params.positions * BEAMS;
  if (i / params.positions >= params.sentences || t > step.position) {
    return;
  }
  if (t == step.position) {
    for (var k = 0u; k < BEAMS; k++) {
      let token = newest[first + k];
      let hides = token == params.pad && t > 0u;
      slots[(first + k) * params.positions + t] = k * params.positions + t + select(0u, HIDDEN, hides);
      tokens[(first + k) * params.positions + t] = token;
    }
  } else if (BEAMS > 1u) {
    var old_slots: array<u32, BEAMS>;
    var old_tokens: array<i32, BEAMS>;
    for (var k = 0u; k < BEAMS; k++) {
      let parent = first + u32(parents[first + k]);
      old_slots[k] = slots[parent * params.positions + t];
      old_tokens[k] = tokens[parent * params.positions + t];
    }
    for (var k = 0u; k < BEAMS; k++) {
      slots[(first + k) * params.positions + t] = old_slots[k];
      tokens[(first + k) * params.positions + t] = old_tokens[k];
    }
  }
}
