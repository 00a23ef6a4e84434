// y = x * factor(element), the factor being 0 with probability `rate` and else 1 / (1 - rate)
// The backward is the same kernel over dy: the factors are a function of seed, step, site and element.
// include lib/cell-4.wgsl
// include lib/elementwise.wgsl
// include lib/step.wgsl

struct Params {
  count: u32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> step: Step;

const PER: u32 = 1u;

@compute @workgroup_size(THREADS)
fn dropout(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  let key = dropout_key(step.seed, step.step, params.site);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(x[i] * cell_dropout(key, i, params.threshold, params.keep_scale), i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn dropout_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  let key = dropout_key(step.seed, step.step, params.site);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(y[i] * cell_dropout(key, i, params.threshold, params.keep_scale), i, params.count);
  }
}
