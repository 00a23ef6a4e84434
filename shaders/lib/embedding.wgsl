// out[b, t] = dropout(table[ids[b, t]] * scale + positions[t + offset]), and the gradients of both tables. Rows are read by cells of
// one number or of four. Every cell of what is written belongs to one thread, so sums keep their order:
//   embedding           out [B, T, D], PER cells a thread, THREADS apart
//   embedding_backward  dtable [V, D] = base + scale * sum of dy over the places of each id, which the host has sorted:
//                       occurrences[row_start[v] .. row_start[v + 1]] are those of id v; PER neighbouring cells of a row a thread
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
// What dtable starts from: 0 zeros, 1 base, 2 base in its own memory, where rows that no id touched stay as they are.
override BASE: u32 = 0u;
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

@compute @workgroup_size(THREADS)
fn embedding_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let cells = params.width / CELL;
  let chunks = (cells + PER - 1u) / PER;
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / chunks;
  if (row >= params.rows) {
    return;
  }
  let first = i % chunks * PER;
  let end = min(first + PER, cells);
  let start = row_start[row];
  let stop = row_start[row + 1u];
  if (BASE == 2u && start == stop) {
    return;
  }
  let key = key_of_step();
  for (var c = first; c < end; c++) {
    var sum = Cell(0.0);
    for (var k = start; k < stop; k++) {
      sum += gradient_at(occurrences[k] * cells + c, key);
    }
    sum *= params.scale;
    if (BASE == 1u) {
      sum += base[row * cells + c];
    }
    if (BASE == 2u) {
      sum += dtable[row * cells + c];
    }
    dtable[row * cells + c] = sum;
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
