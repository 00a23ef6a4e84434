// Embedding: out[b, t] = dropout(table[ids[b, t]] * scale + positions[p]), with p = position_ids[b, t] if
// POSITION_IDS, else t + offset (+ step.position if DECODE); and the gradients of both tables. Every vector
// of the outputs is written by one thread, so sums have a fixed order. Entry points, each with a row group
// per row:
//   embedding                out [B, T, D]
//   embedding_backward       dtable [V, D] += scale * sum of dy over the positions of each id, which the host has sorted:
//                            occurrences[row_start[v] .. row_start[v + 1]] are those of id v. Writes only the rows of
//                            ids that occur, by the row group of their first occurrence; all other rows are zero, or the
//                            base, already. Row `frozen` gets no gradient (PyTorch's padding_idx)
//   embedding_backward_onto  dtable = base + the same
//   position_backward        dpositions [L, D] = sum of dy over the batch
// include shared/kernel.wgsl
// include shared/row-group.wgsl
// include shared/vec.wgsl

struct Params {
  batch: u32,
  length: u32,
  width: u32,
  rows: u32, // of the table that is read or whose gradient is written
  position_rows: u32, // of the table of positions
  offset: u32, // its row of position 0
  scale: f32,
  frozen: u32, // row of the table without a gradient; 0xffffffff: none
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<Vec>;
@group(0) @binding(2) var<storage, read> positions: array<Vec>;
@group(0) @binding(3) var<storage, read_write> out: array<Vec>;
@group(0) @binding(4) var<storage, read> dy: array<Vec>;
@group(0) @binding(5) var<storage, read> row_start: array<u32>;
@group(0) @binding(6) var<storage, read> occurrences: array<u32>;
@group(0) @binding(7) var<storage, read> base: array<Vec>;
@group(0) @binding(8) var<storage, read_write> dtable: array<Vec>;
@group(0) @binding(9) var<storage, read> position_ids: array<u32>;
@group(0) @binding(10) var<uniform> params: Params;
@group(0) @binding(11) var<uniform> step: Step;

// The id of no token, -1: its embedding is zero.
const NO_TOKEN: u32 = 0xffffffffu;
override POSITIONS: bool = false;
override POSITION_IDS: bool = false; // the row of positions is position_ids[b, t]
override DECODE: bool = false; // position 0 of `ids` is step.position
override DROPOUT: bool = false;
override IN_PLACE: bool = false; // add to the content of dtable

fn key_of_step() -> u32 {
  if (DROPOUT) { return dropout_key(step.seed, step.step, params.site); }
  return 0u;
}

@compute @workgroup_size(THREADS)
fn embedding(thread: Thread) {
  let row = row_of(thread);
  if (row >= params.batch * params.length) { return; }
  let vecs = params.width / VEC;
  let key = key_of_step();
  var position = row % params.length + params.offset;
  if (DECODE) { position += step.position; }
  if (POSITION_IDS) { position = position_ids[row]; }
  position = min(position, params.position_rows - 1u) * vecs;
  let id = min(ids[row], params.rows - 1u) * vecs;
  let scale = select(params.scale, 0.0, ids[row] == NO_TOKEN);
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    var value = table[id + c] * scale;
    if (POSITIONS) { value += positions[position + c]; }
    let i = row * vecs + c;
    if (DROPOUT) { value *= vec_dropout(key, i, params.threshold, params.keep_scale); }
    out[i] = value;
  }
}

// Vector i of dy times its dropout factors of the forward pass.
fn gradient_at(i: u32, key: u32) -> Vec {
  if (DROPOUT) { return dy[i] * vec_dropout(key, i, params.threshold, params.keep_scale); }
  return dy[i];
}

// The sum of vector `column` over occurrences start .. stop - 1.
fn gradient_of(start: u32, stop: u32, column: u32, key: u32) -> Vec {
  let vecs = params.width / VEC;
  var sum = Vec(0.0);
  for (var k = start; k < stop; k++) { sum += gradient_at(occurrences[k] * vecs + column, key); }
  return sum * params.scale;
}

// The id of occurrence k: the last row that starts at or before it and is not empty (binary search).
fn id_of(k: u32) -> u32 {
  var low = 0u;
  var high = params.rows;
  while (low + 1u < high) {
    let middle = (low + high) / 2u;
    if (row_start[middle] <= k) { low = middle; } else { high = middle; }
  }
  return low;
}

@compute @workgroup_size(THREADS)
fn embedding_backward(thread: Thread) {
  let k = row_of(thread);
  if (k >= row_start[params.rows]) { return; }
  let id = id_of(k);
  if (row_start[id] != k || id == params.frozen) { return; }
  let stop = row_start[id + 1u];
  let vecs = params.width / VEC;
  let key = key_of_step();
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    let sum = gradient_of(k, stop, c, key);
    if (IN_PLACE) { dtable[id * vecs + c] += sum; } else { dtable[id * vecs + c] = sum; }
  }
}

@compute @workgroup_size(THREADS)
fn embedding_backward_onto(thread: Thread) {
  let id = row_of(thread);
  if (id >= params.rows) { return; }
  let start = row_start[id];
  let stop = select(row_start[id + 1u], start, id == params.frozen);
  let vecs = params.width / VEC;
  let key = key_of_step();
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    dtable[id * vecs + c] = base[id * vecs + c] + gradient_of(start, stop, c, key);
  }
}

@compute @workgroup_size(THREADS)
fn position_backward(thread: Thread) {
  let row = row_of(thread);
  if (row >= params.rows) { return; }
  let vecs = params.width / VEC;
  let used = row >= params.offset && row - params.offset < params.length;
  let batch = select(0u, params.batch, used);
  let key = key_of_step();
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    var sum = Vec(0.0);
    var i = (row - params.offset) * vecs + c;
    for (var b = 0u; b < batch; b++) {
      sum += gradient_at(i, key);
      i += params.length * vecs;
    }
    dtable[row * vecs + c] = sum;
  }
}
