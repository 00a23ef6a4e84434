// step_out = step_in with token_weight (word 1) multiplied by the loss scale, counters[4], if there is one. One thread
// per word. The product is computed as a float and all other words are copied as bits, since they may not be floats.

@group(0) @binding(0) var<storage, read> step_in: array<u32>;
@group(0) @binding(1) var<storage, read> counters: array<f32>;
@group(0) @binding(2) var<storage, read_write> step_out: array<u32>;

const WORDS: u32 = 8u;

@compute @workgroup_size(WORDS)
fn scale_step(@builtin(local_invocation_index) word: u32) {
  let scale = select(1.0, counters[4], counters[4] > 0.0);
  step_out[word] = select(step_in[word], bitcast<u32>(bitcast<f32>(step_in[word]) * scale), word == 1u);
}
