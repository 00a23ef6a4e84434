// rows[b] = used[b]; used[b] += 1 unless tokens[b] is padding: the row of the cache that a token's keys and values take. A thread a
// sequence; position 0 starts anew.
// include lib/index.wgsl
// include lib/step.wgsl

struct Params {
  batch: u32,
  pad: i32,
}

@group(0) @binding(0) var<storage, read> tokens: array<i32>;
@group(0) @binding(1) var<storage, read_write> used: array<u32>;
@group(0) @binding(2) var<storage, read_write> rows: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;
@group(0) @binding(4) var<uniform> step: Step;

const THREADS: u32 = 64u;

@compute @workgroup_size(THREADS)
fn cache_rows(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let b = group_index(group, groups) * THREADS + thread;
  if (b >= params.batch) {
    return;
  }
  let start = step.position == 0u;
  let row = select(used[b], 0u, start);
  rows[b] = row;
  used[b] = row + select(0u, 1u, start || tokens[b] != params.pad);
}
