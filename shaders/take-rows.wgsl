// y[i] = x[picks[i]] for rows of `width` words, whatever their type. A thread a word.
// include lib/index.wgsl

struct Params {
  rows: u32,
  width: u32,
  // Rows of x: no pick reads past them.
  rows_in: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> picks: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn take_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / params.width;
  if (row < params.rows) {
    y[i] = x[min(picks[row], params.rows_in - 1u) * params.width + i % params.width];
  }
}
