// y = x * factor(element), the factor being 0 with probability `rate` and else 1 / (1 - rate); a thread an element.
// The backward is the same kernel over dy: the factors are a function of seed, step, site and element.
// include lib/index.wgsl
// include lib/random.wgsl
// include lib/step.wgsl

struct Params {
  count: u32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> step: Step;

const THREADS: u32 = 256u;

fn factor(i: u32) -> f32 {
  let key = dropout_key(step.seed, step.step, params.site);
  return dropout_factor(key, i, params.threshold, params.keep_scale);
}

@compute @workgroup_size(THREADS)
fn dropout(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    y[i] = x[i] * factor(i);
  }
}

@compute @workgroup_size(THREADS)
fn dropout_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  if (i < params.count) {
    y[i] *= factor(i);
  }
}
