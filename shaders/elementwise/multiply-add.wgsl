// Measures the peak float32 rate of the GPU (src/engine/gpu/roofs.ts): independent chains of multiply-adds,
// four numbers wide, with one load and one store per thread. Thread i starts CHAINS chains at x[i], x[i] + 1,
// ..., computes c = c * a + b in each 8 * rounds times and writes the sum of them to y[i].
//   FUSED 1: by fma(), which is one instruction on some GPUs and a slow function on others
//   FUSED 0: by a product and a sum, which drivers may fuse
// include shared/kernel.wgsl

struct Params {
  threads: u32,
  rounds: u32,
  a: f32,
  b: f32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 64u;
const CHAINS: u32 = 4u;
const FUSED: u32 = 1u;

fn advance(c: vec4<f32>) -> vec4<f32> {
  if FUSED == 1u {
    return fma(c, vec4(params.a), vec4(params.b));
  }
  return c * params.a + params.b;
}

@compute @workgroup_size(THREADS)
fn multiply_add(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if i >= params.threads {
    return;
  }
  var chains: array<vec4<f32>, CHAINS>;
  // unroll
  for (var k = 0u; k < CHAINS; k++) {
    chains[k] = x[i] + f32(k);
  }
  for (var round = 0u; round < params.rounds; round++) {
    // unroll
    for (var turn = 0u; turn < 8u; turn++) {
      // unroll
      for (var k = 0u; k < CHAINS; k++) {
        chains[k] = advance(chains[k]);
      }
    }
  }
  var sum = vec4(0.0);
  // unroll
  for (var k = 0u; k < CHAINS; k++) {
    sum += chains[k];
  }
  y[i] = sum;
}
