// Scaled dot-product attention for head widths that are not multiples of four: the kernels of attention.wgsl over single columns.
// include lib/attention.wgsl
// include lib/attention-scalar.wgsl
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
