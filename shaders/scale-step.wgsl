// step_out = the words of step_in, token_weight (word 1) times the loss scale counters[4], where there is one. The weight is read as a
// number of its own type, since words of other meaning may be no floating-point numbers.

@group(0) @binding(0) var<storage, read> step_in: array<u32>;
@group(0) @binding(1) var<storage, read> counters: array<f32>;
@group(0) @binding(2) var<storage, read_write> step_out: array<u32>;

const WORDS: u32 = 8u;

@compute @workgroup_size(WORDS)
fn scale_step(@builtin(local_invocation_index) word: u32) {
  let scale = select(1.0, counters[4], counters[4] > 0.0);
  step_out[word] = select(step_in[word], bitcast<u32>(bitcast<f32>(step_in[word]) * scale), word == 1u);
}
