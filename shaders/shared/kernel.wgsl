// What most kernels use: the position of a thread, the scalars of a step, and constants.

// Position of a thread in a dispatch, the argument of most entry points. The uniformity analysis of WGSL
// treats all fields of a struct as non-uniform if one is. Entry points with barriers in branches on the
// workgroup use plain arguments.
struct Thread {
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) index: u32,
}

// Index of the workgroup in a grid that gridOf (src/engine/ops/work-division.ts) may have folded into two
// dimensions.
fn group_index(thread: Thread) -> u32 {
  return thread.group.y * thread.groups.x + thread.group.x;
}

// The scalars of one training or decoding step (src/engine/ops/step-scalars.ts). Bind as `var<uniform> step:
// Step`.
struct Step {
  learning_rate: f32,
  token_weight: f32,
  seed: u32,
  step: u32,
  keep: f32,
  position: u32,
  spare0: u32,
  spare1: u32,
}

const LOG2_E: f32 = 1.4426950408889634;
const LN_2: f32 = 0.6931471805599453;
// Below every score, and finite even after a multiplication by LOG2_E: the start value of a maximum. WGSL may
// assume that infinities do not occur.
const LOWEST: f32 = -1e38;
// Replaces minus infinity as the score of a masked key, token or beam. Sums of them are above LOWEST, below
// MASKED_BOUND.
const MASKED: f32 = -1e30;
const MASKED_BOUND: f32 = -1e29;
// Flag in a cache slot: the key is padding, and queries skip it.
const HIDDEN: u32 = 0x80000000u;
