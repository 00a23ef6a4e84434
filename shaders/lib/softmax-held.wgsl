// Softmax of short rows, and its backward: a thread holds a whole row of HELD cells in registers, and so reads it once.

const HELD: u32 = 8u;

@compute @workgroup_size(THREADS)
fn softmax_held(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * THREADS + thread;
  if (row >= params.rows) { return; }
  let seen = visible(row);
  let start = row * HELD;
  var z = array<Cell, HELD>();
  var tops = Cell(LOWEST);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    z[c] = cell_where(x_at(start + c), c, seen, LOWEST);
    tops = max(tops, z[c]);
  }
  let top = cell_max(tops);
  var total = Cell(0.0);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    z[c] = cell_where(power(z[c], top), c, seen, 0.0);
    total += z[c];
  }
  let scale = select(0.0, 1.0 / cell_sum(total), seen > 0u);
  // unroll
  for (var c = 0u; c < HELD; c++) { y[start + c] = scale * z[c]; }
}

@compute @workgroup_size(THREADS)
fn softmax_held_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let row = group_index(group, groups) * THREADS + thread;
  if (row >= params.rows) { return; }
  let seen = visible(row);
  let start = row * HELD;
  var p = array<Cell, HELD>();
  var d = array<Cell, HELD>();
  var sum = Cell(0.0);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    p[c] = cell_where(x_at(start + c), c, seen, 0.0);
    d[c] = cell_where(dy_at(start + c), c, seen, 0.0);
    sum += p[c] * d[c];
  }
  let mean = cell_sum(sum);
  // unroll
  for (var c = 0u; c < HELD; c++) { y[start + c] = p[c] * (d[c] - mean); }
}
