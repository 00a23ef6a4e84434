// A row group is the threads that share a row: a workgroup of THREADS threads has ROWS of them, of
// ROW_GROUP_SIZE threads each, all powers of two.
// include shared/kernel.wgsl

const THREADS: u32 = 256u;
const ROWS: u32 = 1u;
const ROW_GROUP_SIZE = THREADS / ROWS;

// The row of the thread's row group.
fn row_of(thread: Thread) -> u32 { return group_index(thread) * ROWS + thread.index / ROW_GROUP_SIZE; }
