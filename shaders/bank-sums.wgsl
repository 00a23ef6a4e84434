// Sums of whole banks, element by element.
//   accumulate  acc = acc * step.keep + x; where keep is 0 the old sum is not looked at
//   ema         acc = acc + (1 - decay) (x - acc)
// include lib/elementwise.wgsl
// include lib/step.wgsl

struct Params {
  count: u32,
  // 1 - decay.
  rest: f32,
}

@group(0) @binding(0) var<storage, read_write> acc: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> step: Step;

const PER: u32 = 1u;

@compute @workgroup_size(THREADS)
fn accumulate(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    if (step.keep == 0.0) {
      acc[i] = x[i];
    } else {
      acc[i] = acc[i] * step.keep + x[i];
    }
  }
}

@compute @workgroup_size(THREADS)
fn ema(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    acc[i] += params.rest * (x[i] - acc[i]);
  }
}
