// A row group is the threads that share a row: a workgroup of THREADS threads has ROWS of them, of
// ROW_GROUP_SIZE threads each, all powers of two. Reductions over a row group are trees in workgroup memory;
// a row group of one thread needs no barrier, which suits CPU adapters.
// include shared/kernel.wgsl

const THREADS: u32 = 256u;
const ROWS: u32 = 1u;
const ROW_GROUP_SIZE = THREADS / ROWS;

// The row of the thread's row group.
fn row_of(thread: Thread) -> u32 { return group_index(thread) * ROWS + thread.index / ROW_GROUP_SIZE; }

var<workgroup> row_group_scratch: array<vec2<f32>, THREADS>;

// The sum of `value` over the row group, returned to each of its threads. The order of the sum depends only
// on ROW_GROUP_SIZE. All threads of the workgroup must call it.
fn row_group_sum(value: vec2<f32>, thread: u32) -> vec2<f32> {
  if (ROW_GROUP_SIZE == 1u) { return value; }
  row_group_scratch[thread] = value;
  workgroupBarrier();
  for (var stride = ROW_GROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP_SIZE < stride) {
      row_group_scratch[thread] += row_group_scratch[thread + stride];
    }
    workgroupBarrier();
  }
  let total = row_group_scratch[thread - thread % ROW_GROUP_SIZE];
  workgroupBarrier();
  return total;
}
