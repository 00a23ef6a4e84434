// y = x, cell by cell: reads and writes memory and does nothing else. Its speed is the adapter's copy bandwidth (src/gpu/roofs.ts); where y
// lies in memory as f16 (src/gpu/half.ts) it rounds (src/ops/half-weights.ts).
// include lib/elementwise.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

const PER: u32 = 1u;

@compute @workgroup_size(THREADS)
fn copy(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_cell(group, groups, thread);
  let end = end_cell(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = x[i];
  }
}
