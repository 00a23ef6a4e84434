// stats = (sum of nll, number of targets that are not ignored, sum of hit, 0), summed in fixed order by one
// workgroup.

struct Params {
  count: u32,
  has_ignore_index: u32,
  ignore_index: i32,
}

@group(0) @binding(0) var<storage, read> nll: array<f32>;
@group(0) @binding(1) var<storage, read> hit: array<f32>;
@group(0) @binding(2) var<storage, read> targets: array<i32>;
@group(0) @binding(3) var<storage, read_write> stats: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

const THREADS: u32 = 64u;
var<workgroup> shares: array<vec3<f32>, THREADS>;

@compute @workgroup_size(THREADS)
fn token_stats(@builtin(local_invocation_index) thread: u32) {
  var share = vec3(0.0);
  for (var i = thread; i < params.count; i += THREADS) {
    let counts = params.has_ignore_index == 0u || targets[i] != params.ignore_index;
    share += vec3(nll[i], select(0.0, 1.0, counts), hit[i]);
  }
  shares[thread] = share;
  workgroupBarrier();
  if (thread == 0u) {
    var sum = vec3(0.0);
    for (var t = 0u; t < THREADS; t++) {
      sum += shares[t];
    }
    stats[0] = sum.x;
    stats[1] = sum.y;
    stats[2] = sum.z;
    stats[3] = 0.0;
  }
}
