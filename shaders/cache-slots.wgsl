// Keeps account of what each row descends from, before a step of decoding: for all positions before step.position
//   slots[r, t] = slots[parent(r), t],  tokens[r, t] = tokens[parent(r), t]
// and at it r's own slot k·T + t (k being r's number in its sentence), HIDDEN added where the newest token is padding, and that token.
// Position 0 counts whatever stands there, since some models start with padding. A thread a sentence and position, so that the BEAMS
// rows of a position change places in registers.
// include lib/index.wgsl
// include lib/step.wgsl

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
const HIDDEN: u32 = 0x80000000u;

@compute @workgroup_size(THREADS)
fn cache_slots(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
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
