// out[b, t] = dropout(table[ids[b, t]] * scale + positions[t + offset]), and the gradients of both tables.
// Variants: none. A thread an element of what is written, so nothing is added twice and sums keep their order:
//   embedding           out [B, T, D]
//   embedding_backward  dtable [V, D] = base + scale * sum of dy over the places of each id, from rows sorted on the host:
//                       occurrences[row_start[v] .. row_start[v + 1]] are the places of id v in the batch
//   position_backward   dpositions [L, D] = sum of dy over the batch
// include lib/index.wgsl
// include lib/random.wgsl
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
@group(0) @binding(1) var<storage, read> table: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read> row_start: array<u32>;
@group(0) @binding(6) var<storage, read> occurrences: array<u32>;
@group(0) @binding(7) var<storage, read> base: array<f32>;
@group(0) @binding(8) var<storage, read_write> dtable: array<f32>;
@group(0) @binding(9) var<uniform> params: Params;
@group(0) @binding(10) var<uniform> step: Step;

override POSITIONS: bool = false;
// Decoding: position 0 of `ids` is step.position.
override DECODE: bool = false;
override DROPOUT: bool = false;
const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn embedding(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let place = i / params.width;
  if (place >= params.batch * params.length) {
    return;
  }
  let column = i % params.width;
  let id = min(ids[place], params.rows - 1u);
  var value = table[id * params.width + column] * params.scale;
  if (POSITIONS) {
    var row = place % params.length + params.offset;
    if (DECODE) {
      row += step.position;
    }
    value += positions[min(row, params.position_rows - 1u) * params.width + column];
  }
  if (DROPOUT) {
    let key = dropout_key(step.seed, step.step, params.site);
    value *= dropout_factor(key, i, params.threshold, params.keep_scale);
  }
  out[i] = value;
}

// dy at a place, as it was before the forward's dropout.
fn gradient_at(place: u32, column: u32, key: u32) -> f32 {
  let i = place * params.width + column;
  var value = dy[i];
  if (DROPOUT) {
    value *= dropout_factor(key, i, params.threshold, params.keep_scale);
  }
  return value;
}

fn key_of_step() -> u32 {
  if (DROPOUT) {
    return dropout_key(step.seed, step.step, params.site);
  }
  return 0u;
}

fn gradient_of_row(row: u32, column: u32) -> f32 {
  let end = row_start[row + 1u];
  var k = row_start[row];
  if (k == end) {
    return 0.0;
  }
  let key = key_of_step();
  var sum = 0.0;
  for (; k < end; k++) {
    sum += gradient_at(occurrences[k], column, key);
  }
  return sum * params.scale;
}

@compute @workgroup_size(THREADS)
fn embedding_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / params.width;
  if (row < params.rows) {
    dtable[i] = gradient_of_row(row, i % params.width);
  }
}

@compute @workgroup_size(THREADS)
fn embedding_backward_onto(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / params.width;
  if (row < params.rows) {
    dtable[i] = base[i] + gradient_of_row(row, i % params.width);
  }
}

// For dtable in the memory of base: rows that no id touched stay as they are.
@compute @workgroup_size(THREADS)
fn embedding_backward_in_place(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / params.width;
  if (row < params.rows && row_start[row] != row_start[row + 1u]) {
    dtable[i] += gradient_of_row(row, i % params.width);
  }
}

@compute @workgroup_size(THREADS)
fn position_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * THREADS + thread;
  let row = i / params.width;
  if (row >= params.rows) {
    return;
  }
  var sum = 0.0;
  if (row >= params.offset && row - params.offset < params.length) {
    let key = key_of_step();
    for (var b = 0u; b < params.batch; b++) {
      sum += gradient_at(b * params.length + row - params.offset, i % params.width, key);
    }
  }
  dtable[i] = sum;
}
