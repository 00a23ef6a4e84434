// Weights rounded to 8 bits, as Marian stores them: copy = round(w m) / m with m = 127 / max|w| of a part, and ties to
// even.
//   weight_maxima  partials [groups] = max|w| of the share of each workgroup
//   round_weights  the copies of a share; each workgroup first takes the maximum of the partials
// The workgroups of a part take turns: workgroup g has the elements (g + k groups) THREADS + thread.

struct Params {
  start: u32, // first element of the part
  count: u32, // elements of the part
  groups: u32,
}

@group(0) @binding(0) var<storage, read> weights: array<f32>;
@group(0) @binding(1) var<storage, read_write> partials_out: array<f32>;
@group(0) @binding(2) var<storage, read> partials: array<f32>;
@group(0) @binding(3) var<storage, read_write> copies: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const THREADS: u32 = 256u;
var<workgroup> shares: array<f32, THREADS>;

// The maximum over the threads of a workgroup.
fn max_of_threads(thread: u32, own: f32) -> f32 {
  shares[thread] = own;
  workgroupBarrier();
  for (var width = THREADS / 2u; width > 0u; width /= 2u) {
    if (thread < width) { shares[thread] = max(shares[thread], shares[thread + width]); }
    workgroupBarrier();
  }
  return shares[0];
}

@compute @workgroup_size(THREADS)
fn weight_maxima(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  var own = 0.0;
  for (var i = group.x * THREADS + thread; i < params.count; i += params.groups * THREADS) {
    own = max(own, abs(weights[params.start + i]));
  }
  let all = max_of_threads(thread, own);
  if (thread == 0u) { partials_out[group.x] = all; }
}

@compute @workgroup_size(THREADS)
fn round_weights(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  var own = 0.0;
  if (thread < params.groups) { own = partials[thread]; }
  let largest = max_of_threads(thread, own);
  let m = 127.0 / select(largest, 1.0, largest == 0.0);
  for (var i = group.x * THREADS + thread; i < params.count; i += params.groups * THREADS) {
    let at = params.start + i;
    copies[at] = clamp(round(weights[at] * m), -127.0, 127.0) / m;
  }
}
