// cache[b, rows[b] + t, c] = x[b, t, column + c]: the newest keys and values into their rows. A thread an element written;
// what would lie beyond the cache's last row is dropped.
// include lib/index.wgsl

struct Params {
  batch: u32,
  // Rows of a sequence in x, and in the cache.
  length: u32,
  capacity: u32,
  width: u32,
  // Columns of x, and the first that is kept.
  stride: u32,
  column: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> cache: array<f32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn kv_write(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / params.width;
  let b = row / params.length;
  if (b >= params.batch) {
    return;
  }
  let position = rows[b] + row % params.length;
  if (position < params.capacity) {
    cache[(b * params.capacity + position) * params.width + i % params.width] =
      x[row * params.stride + params.column + i % params.width];
  }
}
