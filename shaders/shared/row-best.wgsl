// Argmax over the numbers that the threads of a row group have.
// include shared/row-group.wgsl

struct Best {
  value: f32,
  index: u32,
}

var<workgroup> row_group_bests: array<Best, THREADS>;

// The maximum over the row group, of equal ones the lowest index, returned to each of its threads. All threads of the
// workgroup must call it.
fn row_group_best(own: Best, thread: u32) -> Best {
  if (ROW_GROUP == 1u) {
    return own;
  }
  row_group_bests[thread] = own;
  workgroupBarrier();
  for (var stride = ROW_GROUP / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP < stride) {
      let other = row_group_bests[thread + stride];
      let mine = row_group_bests[thread];
      if (other.value > mine.value || (other.value == mine.value && other.index < mine.index)) {
        row_group_bests[thread] = other;
      }
    }
    workgroupBarrier();
  }
  let best = row_group_bests[thread - thread % ROW_GROUP];
  workgroupBarrier();
  return best;
}
