// Chains of multiply-adds, four numbers wide, that wait for nothing but themselves: their speed is the adapter's peak in float32
// (src/gpu/roofs.ts). Thread i starts its CHAINS chains at x[i], x[i] + 1, ..., takes 8 * rounds steps c <- c * a + b in each, and
// leaves the sum of the chains in y[i].
//   FUSED 1: with fma(), which some adapters do in one instruction and others in a slow function
//   FUSED 0: as a product and a sum, which drivers may fuse
// include lib/index.wgsl

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
fn multiply_add(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
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
