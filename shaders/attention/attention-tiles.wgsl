// Shared parts of the kernels of attention by tiles. A workgroup computes ROWS own rows (queries, or keys in
// backward_keys) and iterates over the other rows in tiles of 32. Its threads are DOWN x ACROSS: a thread has
// 4 own rows, every ACROSS-th of their 32 scores and every ACROSS-th chunk of their output. A tile has two
// kinds of products:
//   scores  own·otherᵀ, from slices of 16 columns of both     add_products
//   output  weights·other, from SHARE whole rows at a time    add_rows
// All indices of workgroup memory have bounds that compilers can prove, so they cost no checks
// (docs/gpu-compiler.md).
// part of attention/attention.wgsl

const ACROSS: u32 = 8u;
const DOWN: u32 = 16u;
const THREADS: u32 = DOWN * ACROSS;
const ROWS: u32 = 4u * DOWN;
// Scores of a row, and chunks of its output, per thread.
const SCORES: u32 = 32u / ACROSS;
const CHUNKS_PER_THREAD: u32 = (CHUNKS + ACROSS - 1u) / ACROSS;
// A constant bound of loops that end by `break`, so that compilers add no counter.
const MAX_TILES: u32 = 0xffffffu;
// Rows of the other side that are staged at once for the output, in chunks.
const SHARE: u32 = 16u;
const SHARE_PITCH: u32 = CHUNKS_PER_THREAD * ACROSS;
// Distances of rows in workgroup memory; + 1 avoids bank conflicts.
const PITCH: u32 = 5u;
const WEIGHTS_PITCH: u32 = DOWN + 1u;

// Slices of own and other rows [row, chunk]; own_tile also has whole other rows [row, chunk].
var<workgroup> own_tile: array<vec4<f32>, max(ROWS * PITCH, SHARE * SHARE_PITCH)>;
var<workgroup> other_tile: array<vec4<f32>, 32u * PITCH>;
// [column, row / 4]: weights of the 32 columns in each row.
var<workgroup> weights: array<vec4<f32>, 32u * WEIGHTS_PITCH>;

// Scores of a thread: vector n has those of its 4 rows in column across + n·ACROSS.
alias Scores = array<vec4<f32>, SCORES>;
// Output of a thread: chunk across + m·ACROSS of its row r is [m][r].
alias Output = array<mat4x4<f32>, CHUNKS_PER_THREAD>;

// Sum or maximum of each row over the threads across, returned to all of them. All threads must call it. In
// the variant `shuffle` by subgroup shuffles (a butterfly), for subgroups of at least ACROSS lanes in the
// order of the threads; otherwise through workgroup memory.
@if(shuffle) fn across_sum(x: vec4<f32>, thread: u32) -> vec4<f32> {
  var sum = x;
  for (var distance = 1u; distance < ACROSS; distance *= 2u) { sum += subgroupShuffleXor(sum, distance); }
  return sum;
}
@else fn across_sum(x: vec4<f32>, thread: u32) -> vec4<f32> {
  exchange(x, thread);
  var sum = vec4(0.0);
  for (var n = 0u; n < ACROSS; n++) { sum += weights[min(thread, THREADS - 1u) / ACROSS * ACROSS + n]; }
  workgroupBarrier();
  return sum;
}
@if(shuffle) fn across_max(x: vec4<f32>, thread: u32) -> vec4<f32> {
  var top = x;
  for (var distance = 1u; distance < ACROSS; distance *= 2u) { top = max(top, subgroupShuffleXor(top, distance)); }
  return top;
}
@else fn across_max(x: vec4<f32>, thread: u32) -> vec4<f32> {
  exchange(x, thread);
  var top = x;
  for (var n = 0u; n < ACROSS; n++) { top = max(top, weights[min(thread, THREADS - 1u) / ACROSS * ACROSS + n]); }
  workgroupBarrier();
  return top;
}
fn exchange(x: vec4<f32>, thread: u32) {
  workgroupBarrier();
  weights[min(thread, THREADS - 1u)] = x;
  workgroupBarrier();
}

// Adds to s the products of the staged slices: own row · other row. All threads must call it.
fn add_products(s: ptr<function, Scores>, thread: u32) {
  workgroupBarrier();
  let t = min(thread, THREADS - 1u);
  for (var c = 0u; c < 4u; c++) {
    let at = t / ACROSS * (4u * PITCH) + c;
    let own = mat4x4(own_tile[at], own_tile[at + PITCH], own_tile[at + 2u * PITCH], own_tile[at + 3u * PITCH]);
    for (var n = 0u; n < SCORES; n++) {
      (*s)[n] = dots((*s)[n], other_tile[(t % ACROSS + n * ACROSS) * PITCH + c], own);
    }
  }
  workgroupBarrier();
}

// Adds to o the staged rows times their weights, of the columns from part · SHARE on. All threads must call
// it. For wide heads a bound that compilers do not know keeps them from loading all rows at once, for which GPUs
// of Intel have too few registers.
fn add_rows(o: ptr<function, Output>, part: u32, thread: u32) {
  workgroupBarrier();
  let t = min(thread, THREADS - 1u);
  let at = min(part, 32u / SHARE - 1u) * (SHARE * WEIGHTS_PITCH) + t / ACROSS;
  for (var n = 0u; n < SHARE; n++) {
    if (ACROSS == 32u && n == params.share) { break; }
    let p = weights[at + n * WEIGHTS_PITCH];
    for (var m = 0u; m < CHUNKS_PER_THREAD; m++) {
      let x = own_tile[n * SHARE_PITCH + t % ACROSS + m * ACROSS];
      (*o)[m] += mat4x4(p.x * x, p.y * x, p.z * x, p.w * x);
    }
  }
  workgroupBarrier();
}

// Chunk c of a row of head h; `column`: the first one of keys or values. Rows from `end` on repeat the last;
// chunks past the head are zero.
fn chunk_of_queries(b: u32, h: u32, column: u32, i: u32, end: u32, c: u32) -> vec4<f32> {
  return zero_past_head(load_query(q_at(b, clamp_row(i, end), h), min_chunk(c)), c);
}
fn chunk_of_douts(b: u32, h: u32, column: u32, i: u32, end: u32, c: u32) -> vec4<f32> {
  return zero_past_head(load_dout(out_at(b, clamp_row(i, end), h), min_chunk(c)), c);
}
fn chunk_of_kv(b: u32, h: u32, column: u32, j: u32, end: u32, c: u32) -> vec4<f32> {
  return zero_past_head(load_kv(kv_at(b, clamp_row(j, end), h, column), min_chunk(c)), c);
}
// A signed minimum, since bench:isa counts unsigned ones as bounds checks.
fn clamp_row(row: u32, end: u32) -> u32 { return u32(min(i32(row), i32(end) - 1)); }
fn min_chunk(c: u32) -> u32 {
  if (CHUNKS % 4u == 0u && CHUNKS % ACROSS == 0u) { return c; }
  return min(c, CHUNKS - 1u);
}
fn zero_past_head(x: vec4<f32>, c: u32) -> vec4<f32> {
  if (CHUNKS % 4u == 0u && CHUNKS % ACROSS == 0u) { return x; }
  return select(vec4(0.0), x, c < CHUNKS);
}

// Vectors that a thread stages of a slice of own rows, and of whole other rows; some threads may have none. A
// slice of other rows has 128 vectors, and a workgroup at least 128 threads.
const OWN_VECTORS: u32 = (4u * ROWS + THREADS - 1u) / THREADS;
const ROW_VECTORS: u32 = (SHARE * SHARE_PITCH + THREADS - 1u) / THREADS;

// Stage rows from `first` on: a slice of own rows, a slice of other rows, and whole other rows. Each tensor has
// its own three, since an entry point binds all tensors that its functions name.
@each(queries, kv, douts)
fn stage_own_EACH(b: u32, h: u32, column: u32, first: u32, end: u32, slice: u32, thread: u32) {
  for (var n = 0u; n < OWN_VECTORS; n++) {
    let e = min(thread, THREADS - 1u) + n * THREADS;
    if (4u * ROWS % THREADS == 0u || e < 4u * ROWS) {
      own_tile[e / 4u * PITCH + e % 4u] = chunk_of_EACH(b, h, column, first + e / 4u, end, 4u * slice + e % 4u);
    }
  }
}
@each(queries, kv, douts)
fn stage_other_EACH(b: u32, h: u32, column: u32, first: u32, end: u32, slice: u32, thread: u32) {
  let e = thread % 128u;
  if (THREADS == 128u || thread < 128u) {
    other_tile[e / 4u * PITCH + e % 4u] = chunk_of_EACH(b, h, column, first + e / 4u, end, 4u * slice + e % 4u);
  }
}
@each(queries, kv, douts)
fn stage_EACH(b: u32, h: u32, column: u32, first: u32, end: u32, thread: u32) {
  for (var n = 0u; n < ROW_VECTORS; n++) {
    let e = min(thread, THREADS - 1u) + n * THREADS;
    if (SHARE * SHARE_PITCH % THREADS == 0u || e < SHARE * SHARE_PITCH) {
      own_tile[e] = chunk_of_EACH(b, h, column, first + e / SHARE_PITCH, end, e % SHARE_PITCH);
    }
  }
}
