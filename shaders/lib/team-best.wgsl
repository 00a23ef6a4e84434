// The largest of the numbers that a team of threads holds, with its index. The including file says THREADS, ROWS and TEAM as for
// lib/team.wgsl.

struct Best {
  value: f32,
  index: u32,
}

var<workgroup> team_bests: array<Best, THREADS>;

// The best of the team, of equal ones that with the lowest index, to each of its threads. All threads of the workgroup must call it.
fn team_best(own: Best, thread: u32) -> Best {
  if (TEAM == 1u) {
    return own;
  }
  team_bests[thread] = own;
  workgroupBarrier();
  for (var stride = TEAM / 2u; stride > 0u; stride /= 2u) {
    if (thread % TEAM < stride) {
      let other = team_bests[thread + stride];
      let mine = team_bests[thread];
      if (other.value > mine.value || (other.value == mine.value && other.index < mine.index)) {
        team_bests[thread] = other;
      }
    }
    workgroupBarrier();
  }
  let best = team_bests[thread - thread % TEAM];
  workgroupBarrier();
  return best;
}
