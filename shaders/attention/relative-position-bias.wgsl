// T5's relative position bias by distance (Raffel et al., 2020), and its gradient:
//   bias[h, farthest + d] = table[bucket(d), h],  dtable[b, h] = sum of dbias[h, farthest + d] over the d of bucket b
// where d = key - query. One thread per result.
// include shared/kernel.wgsl

struct Params {
  starts: array<vec4<u32>, 8>, // first distances of the logarithmic buckets, 16 bits each
  heads: u32,
  farthest: u32,
  exact: u32, // buckets of one distance
  log_buckets: u32,
  forward: u32, // first bucket of keys after the query; 0: they are in bucket 0
  threads: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
@group(0) @binding(3) var<storage, read> dbias: array<f32>;
@group(0) @binding(4) var<storage, read_write> dtable: array<f32>;

// Bucket of column n of the bias.
fn bucket_of(n: u32) -> u32 {
  let after = n > params.farthest;
  if (after && params.forward == 0u) { return 0u; }
  let distance = select(params.farthest - n, n - params.farthest, after);
  var bucket = min(distance, params.exact - 1u);
  for (var k = 0u; k < params.log_buckets; k++) {
    let start = (params.starts[k / 8u][k / 2u % 4u] >> (16u * (k % 2u))) & 0xffffu;
    bucket += select(0u, 1u, start <= distance);
  }
  return select(bucket, params.forward + bucket, after);
}

@compute @workgroup_size(64)
fn relative_position_bias(thread: Thread) {
  let i = group_index(thread) * 64u + thread.index;
  if (i >= params.threads) { return; }
  let columns = 2u * params.farthest + 1u;
  bias[i] = table[bucket_of(i % columns) * params.heads + i / columns];
}

@compute @workgroup_size(64)
fn relative_position_bias_backward(thread: Thread) {
  let i = group_index(thread) * 64u + thread.index;
  if (i >= params.threads) { return; }
  let columns = 2u * params.farthest + 1u;
  let start = i % params.heads * columns;
  var sum = 0.0;
  for (var n = 0u; n < columns; n++) {
    if (bucket_of(n) == i / params.heads) { sum += dbias[start + n]; }
  }
  dtable[i] = sum;
}
