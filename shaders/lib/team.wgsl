// Sums over a team of threads that share a row. The including file says `const THREADS: u32` (a workgroup), `const ROWS: u32` (rows,
// and so teams, a workgroup; both powers of two) and `const TEAM = THREADS / ROWS;`. A team of one thread has no barriers at all,
// which is what adapters on the CPU want.

var<workgroup> team_scratch: array<vec2<f32>, THREADS>;

// The sums of both parts of `value` over the team, to each of its threads, in an order that depends on TEAM alone. All threads must call it.
fn team_sum(value: vec2<f32>, thread: u32) -> vec2<f32> {
  if (TEAM == 1u) {
    return value;
  }
  team_scratch[thread] = value;
  workgroupBarrier();
  for (var stride = TEAM / 2u; stride > 0u; stride /= 2u) {
    if (thread % TEAM < stride) {
      team_scratch[thread] += team_scratch[thread + stride];
    }
    workgroupBarrier();
  }
  let total = team_scratch[thread - thread % TEAM];
  workgroupBarrier();
  return total;
}
