// out[b, t] = dropout(table[ids[b, t]] * scale + positions[t + offset]), and the gradients of both tables. Rows are read by cells of
// one number or of four. Every cell of what is written belongs to one thread, so sums keep their order:
//   embedding           out [B, T, D], PER cells a thread, THREADS apart
//   embedding_backward  dtable [V, D] += scale * sum of dy over the places of each id, which the host has sorted:
//                       occurrences[row_start[v] .. row_start[v + 1]] are those of id v. Only rows of ids that occur are written, by
//                       the threads of their first occurrence, PER neighbouring cells each; the others are zero or base already
//   embedding_backward_onto  dtable = base + the same, a cell a thread
//   position_backward   dpositions [L, D] = sum of dy over the batch, a cell a thread
// include lib/index.wgsl
// include lib/step.wgsl

struct Params {
  batch: u32,
  length: u32,
  width: u32,
  // Rows of the table that is read or whose gradient is written.
  rows: u32,
  // Rows of the table of positions, and the row of position 0.
  position_rows: u32,
  offset: u32,
  scale: f32,
  site: u32,
  threshold: u32,
  keep_scale: f32,
}

@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(1) var<storage, read> table: array<Cell>;
@group(0) @binding(2) var<storage, read> positions: array<Cell>;
@group(0) @binding(3) var<storage, read_write> out: array<Cell>;
@group(0) @binding(4) var<storage, read> dy: array<Cell>;
@group(0) @binding(5) var<storage, read> row_start: array<u32>;
@group(0) @binding(6) var<storage, read> occurrences: array<u32>;
@group(0) @binding(7) var<storage, read> base: array<Cell>;
@group(0) @binding(8) var<storage, read_write> dtable: array<Cell>;
@group(0) @binding(9) var<uniform> params: Params;
@group(0) @binding(10) var<uniform> step: Step;

override POSITIONS: bool = false;
// Decoding: position 0 of `ids` is step.position.
override DECODE: bool = false;
override DROPOUT: bool = false;
// Whether dtable holds a gradient to add to.
override IN_PLACE: bool = false;
const THREADS: u32 = 256u;
const PER: u32 = 1u;

fn key_of_step() -> u32 {
  if (DROPOUT) {
    return dropout_key(step.seed, step.step, params.site);
  }
  return 0u;
}

@compute @workgroup_size(THREADS)
fn embedding(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let cells = params.width / CELL;
  let first = group_index(group, groups) * THREADS * PER + thread;
  let end = min(first + THREADS * PER, params.batch * params.length * cells);
  let key = key_of_step();
  for (var i = first; i < end; i += THREADS) {
    let place = i / cells;
    let column = i % cells;
    let id = min(ids[place], params.rows - 1u);
    var value = table[id * cells + column] * params.scale;
    if (POSITIONS) {
      var row = place % params.length + params.offset;
      if (DECODE) {
        row += step.position;
      }
      value += positions[min(row, params.position_rows - 1u) * cells + column];
    }
    if (DROPOUT) {
      value *= cell_dropout(key, i, params.threshold, params.keep_scale);
    }
    out[i] = value;
  }
}

// A cell of dy as it was before the forward's dropout.
fn gradient_at(i: u32, key: u32) -> Cell {
  if (DROPOUT) {
    return dy[i] * cell_dropout(key, i, params.threshold, params.keep_scale);
  }
  return dy[i];
}

// The sum of a cell over occurrences start .. stop - 1.
fn gradient_of(start: u32, stop: u32, column: u32, key: u32) -> Cell {
  let cells = params.width / CELL;
  var sum = Cell(0.0);
  for (var k = start; k < stop; k++) {
    sum += gradient_at(occurrences[k] * cells + column, key);
  }
  return sum * params.scale;
}

// The id whose occurrences hold number k: the last row that starts at or before it and is not empty.
fn row_of(k: u32) -> u32 {
  var low = 0u;
  var high = params.rows;
  while (low + 1u < high) {
    let middle = (low + high) / 2u;
    if (row_start[middle] <= k) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

@compute @workgroup_size(THREADS)
fn embedding_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let cells = params.width / CELL;
  let chunks = (cells + PER - 1u) / PER;
  let i = group_index(group, groups) * THREADS + thread;
  let k = i / chunks;
  if (k >= row_start[params.rows]) {
    return;
  }
  let row = row_of(k);
  if (row_start[row] != k) {
    return;
  }
  let first = i % chunks * PER;
  let key = key_of_step();
  for (var c = first; c < min(first + PER, cells); c++) {
    let sum = gradient_of(k, row_start[row + 1u], c, key);
    if (IN_PLACE) {
      dtable[row * cells + c] += sum;
    } else {
      dtable[row * cells + c] = sum;
    }
  }
}

@compute @workgroup_size(THREADS)
fn embedding_backward_onto(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let cells = params.width / CELL;
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / cells;
  if (row < params.rows) {
    dtable[i] = base[i] + gradient_of(row_start[row], row_start[row + 1u], i % cells, key_of_step());
  }
}

@compute @workgroup_size(THREADS)
fn position_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let cells = params.width / CELL;
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / cells;
  if (row >= params.rows) {
    return;
  }
  var sum = Cell(0.0);
  if (row >= params.offset && row - params.offset < params.length) {
    let key = key_of_step();
    for (var b = 0u; b < params.batch; b++) {
      sum += gradient_at((b * params.length + row - params.offset) * cells + i % cells, key);
    }
  }
  dtable[i] = sum;
}
