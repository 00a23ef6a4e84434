// The scalars of one training or decoding step; src/ops/step-scalars.ts documents each. Bind as `var<uniform> step:
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
