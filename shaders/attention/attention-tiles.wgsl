// Shared parts of the kernels of attention by tiles. A workgroup computes ROWS own rows (queries, or keys in
// backward_keys) and iterates over the other rows in tiles of 32. Its threads are DOWN x ACROSS: a thread has
// OWN own rows (4; 2 in the variant `pairs`, for GPUs with few registers), every ACROSS-th of their 32 scores and every
// ACROSS-th chunk of their output. A tile has two kinds of products:
//   scores  own·otherᵀ, from slices of 16 columns of both     add_products
//   output  weights·other, from SHARE whole rows at a time    add_rows
// All indices of workgroup memory have bounds that compilers can prove, so they cost no checks
// (docs/gpu-compiler.md).
// part of attention/attention.wgsl

const ACROSS: u32 = 8u;
const DOWN: u32 = 16u;
const THREADS: u32 = DOWN * ACROSS;
const ROWS: u32 = OWN * DOWN;
// Scores of a row, and chunks of its output, per thread.
const SCORES: u32 = 32u / ACROSS;
const CHUNKS_PER_THREAD: u32 = (CHUNKS + ACROSS - 1u) / ACROSS;
// A constant bound of loops that end by `break`, so that compilers add no counter.
const MAX_TILES: u32 = 0xffffffu;
// Rows of the other side that are staged at once for the output, in chunks.
const SHARE: u32 = 16u;
const SHARE_PITCH: u32 = CHUNKS_PER_THREAD * ACROSS;
// Chunks of a slice.
const SLICE: u32 = 4u;
// Distances of rows in workgroup memory; + 1 avoids bank conflicts.
const PITCH: u32 = SLICE + 1u;
const WEIGHTS_PITCH: u32 = DOWN + 1u;

// Slices of own and other rows [row, chunk]; own_tile also has whole other rows [row, chunk].
var<workgroup> own_tile: array<vec4<f32>, max(ROWS * PITCH, SHARE * SHARE_PITCH)>;
var<workgroup> other_tile: array<vec4<f32>, 32u * PITCH>;
// [column, row / OWN]: weights of the 32 columns in each row.
var<workgroup> weights: array<Numbers, 32u * WEIGHTS_PITCH>;

// Scores of a thread: vector n has those of its rows in column across + n·ACROSS.
alias Scores = array<Numbers, SCORES>;
// Output of a thread: chunk across + m·ACROSS of its row r is [m][r].
alias Output = array<Rows, CHUNKS_PER_THREAD>;

// Sum or maximum of each row over the threads across, returned to all of them. All threads must call it. In
// the variant `shuffle` by subgroup shuffles (a butterfly), for subgroups of at least ACROSS lanes in the
// order of the threads; otherwise through workgroup memory.
@if(shuffle) fn across_sum(x: Numbers, thread: u32) -> Numbers {
  var sum = x;
  for (var distance = 1u; distance < ACROSS; distance *= 2u) { sum += subgroupShuffleXor(sum, distance); }
  return sum;
}
@else fn across_sum(x: Numbers, thread: u32) -> Numbers {
  exchange(x, thread);
  var sum = Numbers(0.0);
  for (var n = 0u; n < ACROSS; n++) { sum += weights[min(thread, THREADS - 1u) / ACROSS * ACROSS + n]; }
  workgroupBarrier();
  return sum;
}
@if(shuffle) fn across_max(x: Numbers, thread: u32) -> Numbers {
  var top = x;
  for (var distance = 1u; distance < ACROSS; distance *= 2u) { top = max(top, subgroupShuffleXor(top, distance)); }
  return top;
}
@else fn across_max(x: Numbers, thread: u32) -> Numbers {
  exchange(x, thread);
  var top = x;
  for (var n = 0u; n < ACROSS; n++) { top = max(top, weights[min(thread, THREADS - 1u) / ACROSS * ACROSS + n]); }
  workgroupBarrier();
  return top;
}
fn exchange(x: Numbers, thread: u32) {
  workgroupBarrier();
  weights[min(thread, THREADS - 1u)] = x;
  workgroupBarrier();
}

// Adds to s the products of the staged slices: own row · other row. All threads must call it.
fn add_products(s: ptr<function, Scores>, thread: u32) {
  workgroupBarrier();
  let t = min(thread, THREADS - 1u);
  for (var c = 0u; c < SLICE; c++) {
    let own = own_chunks(thread, c);
    for (var n = 0u; n < SCORES; n++) {
      (*s)[n] = row_products((*s)[n], other_tile[(t % ACROSS + n * ACROSS) * PITCH + c], own);
    }
  }
  workgroupBarrier();
}

// A thread keeps its scores in `weights` while it computes others, and takes them back: they need no registers then.
fn keep_scores(s: Scores, thread: u32) {
  for (var n = 0u; n < SCORES; n++) { weights[weight_at(n, thread)] = s[n]; }
}
// Where the weights are of the own rows of a thread in column across + n·ACROSS.
fn weight_at(n: u32, thread: u32) -> u32 {
  return (thread % ACROSS + n * ACROSS) * WEIGHTS_PITCH + min(thread, THREADS - 1u) / ACROSS;
}

// Adds to o the staged rows times their weights, of the columns from part · SHARE on. All threads must call
// it. For wide heads a bound that compilers do not know keeps them from loading all rows at once, for which GPUs
// of Intel, and with pairs of ARM, have too few registers. With pairs it is the place of the row, which is in a register:
// ARM's compiler keeps a parameter, or `thread`, in scratch memory.
fn add_rows(o: ptr<function, Output>, part: u32, thread: u32) {
  workgroupBarrier();
  let t = min(thread, THREADS - 1u);
  let at = min(part, 32u / SHARE - 1u) * (SHARE * WEIGHTS_PITCH) + t / ACROSS;
  if (OWN == 2u && ACROSS == 32u) {
    var at_weight = at;
    for (var c = t % ACROSS; c < SHARE * SHARE_PITCH; c += SHARE_PITCH) {
      let p = weights[at_weight];
      for (var m = 0u; m < CHUNKS_PER_THREAD; m++) { (*o)[m] += outer(p, own_tile[c + m * ACROSS]); }
      at_weight += WEIGHTS_PITCH;
    }
  } else {
    for (var n = 0u; n < SHARE; n++) {
      if (ACROSS == 32u && n == params.share) { break; }
      let p = weights[at + n * WEIGHTS_PITCH];
      for (var m = 0u; m < CHUNKS_PER_THREAD; m++) { (*o)[m] += outer(p, own_tile[n * SHARE_PITCH + t % ACROSS + m * ACROSS]); }
    }
  }
  workgroupBarrier();
}

// Vectors that a thread stages of a slice of own rows, and of whole other rows; some threads may have none. A
// slice of other rows has at most as many vectors as a workgroup has threads.
const OWN_VECTORS: u32 = (SLICE * ROWS + THREADS - 1u) / THREADS;
const OTHER_VECTORS: u32 = 32u * SLICE;
const ROW_VECTORS: u32 = (SHARE * SHARE_PITCH + THREADS - 1u) / THREADS;
alias OwnPlaces = array<u32, OWN_VECTORS>;

// Places that a thread reads in all slices, which are computed once: of own and of other rows from `first` on. Then
// what stages a slice of own rows, a slice of other rows, and whole other rows. Each tensor has its own functions,
// since an entry point binds all tensors that its functions name.
@each(queries, kv, douts)
fn own_places_EACH(b: u32, h: u32, column: u32, first: u32, end: u32, thread: u32) -> OwnPlaces {
  var places: OwnPlaces;
  for (var n = 0u; n < OWN_VECTORS; n++) {
    let e = min(thread, THREADS - 1u) + n * THREADS;
    places[n] = place_of_EACH(b, h, column, first + e / SLICE, end);
    if (MARKS_PLACES && SLICE * ROWS % THREADS > 0u) { places[n] = select(NO_PLACE, places[n], e < SLICE * ROWS); }
  }
  return places;
}
@each(queries, kv, douts)
fn other_place_EACH(b: u32, h: u32, column: u32, first: u32, end: u32, thread: u32) -> u32 {
  let place = place_of_EACH(b, h, column, first + thread % OTHER_VECTORS / SLICE, end);
  if (!MARKS_PLACES || THREADS == OTHER_VECTORS) { return place; }
  return select(NO_PLACE, place, thread < OTHER_VECTORS);
}
@each(queries, kv, douts)
fn stage_own_EACH(places: OwnPlaces, slice: u32, thread: u32) {
  for (var n = 0u; n < OWN_VECTORS; n++) {
    let e = min(thread, THREADS - 1u) + n * THREADS;
    if (SLICE * ROWS % THREADS == 0u || (MARKS_PLACES && places[n] != NO_PLACE) || (!MARKS_PLACES && e < SLICE * ROWS)) {
      own_tile[e / SLICE * PITCH + e % SLICE] = chunk_of_EACH(places[n], SLICE * slice + e % SLICE, WHOLE_SLICES);
    }
  }
}
@each(queries, kv, douts)
fn stage_other_EACH(place: u32, slice: u32, thread: u32) {
  let e = thread % OTHER_VECTORS;
  if (THREADS == OTHER_VECTORS || (MARKS_PLACES && place != NO_PLACE) || (!MARKS_PLACES && thread < OTHER_VECTORS)) {
    other_tile[e / SLICE * PITCH + e % SLICE] = chunk_of_EACH(place, SLICE * slice + e % SLICE, WHOLE_SLICES);
  }
}
@each(queries, kv, douts)
fn stage_EACH(b: u32, h: u32, column: u32, first: u32, end: u32, thread: u32) {
  for (var n = 0u; n < ROW_VECTORS; n++) {
    let e = min(thread, THREADS - 1u) + n * THREADS;
    if (SHARE * SHARE_PITCH % THREADS == 0u || e < SHARE * SHARE_PITCH) {
      let place = place_of_EACH(b, h, column, first + e / SHARE_PITCH, end);
      own_tile[e] = chunk_of_EACH(place, e % SHARE_PITCH, WHOLE_ROWS);
    }
  }
}
