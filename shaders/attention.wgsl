// Scaled dot-product attention, forward and backward, without a tensor of scores, for head widths that are multiples of four.
// Variants:
//   rows             a thread takes ROWS queries (or keys) and goes through the keys (or queries); no barriers
//   subgroups        the same in attention-subgroups.wgsl, where neighbouring threads share what they read
// attention-odd.wgsl is `rows` for other head widths.
// include lib/attention.wgsl
// include lib/attention-vec4.wgsl
// include lib/attention-fetch.wgsl
// include lib/attention-rows.wgsl
// include lib/attention-rows-backward.wgsl
// include lib/random.wgsl
// include lib/step.wgsl

@compute @workgroup_size(THREADS)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  forward_rows(group, thread);
}

@compute @workgroup_size(THREADS)
fn backward_queries(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  backward_query_rows(group, thread);
}

@compute @workgroup_size(THREADS)
fn backward_keys(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  backward_key_rows(group, thread);
}
