// Softmax of short rows and its backward pass: a thread keeps a whole row of HELD vectors in registers, so that it
// reads the row once.
// part of norm/softmax.wgsl

const HELD: u32 = 8u;

@compute @workgroup_size(THREADS)
fn softmax_held(thread: Thread) {
  let row = group_index(thread) * THREADS + thread.index;
  if (row >= params.rows) { return; }
  let seen = visible(row);
  let start = row * HELD;
  var z = array<Vec, HELD>();
  var tops = Vec(LOWEST);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    z[c] = vec_where(x_at(start + c), c, seen, LOWEST);
    tops = max(tops, z[c]);
  }
  let top = vec_max(tops);
  var total = Vec(0.0);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    z[c] = vec_where(power(z[c], top), c, seen, 0.0);
    total += z[c];
  }
  let scale = select(0.0, 1.0 / vec_sum(total), seen > 0u);
  // unroll
  for (var c = 0u; c < HELD; c++) { y[start + c] = scale * z[c]; }
}

@compute @workgroup_size(THREADS)
fn softmax_held_backward(thread: Thread) {
  let row = group_index(thread) * THREADS + thread.index;
  if (row >= params.rows) { return; }
  let seen = visible(row);
  let start = row * HELD;
  var p = array<Vec, HELD>();
  var d = array<Vec, HELD>();
  var sum = Vec(0.0);
  // unroll
  for (var c = 0u; c < HELD; c++) {
    p[c] = vec_where(x_at(start + c), c, seen, 0.0);
    d[c] = vec_where(dy_at(start + c), c, seen, 0.0);
    sum += p[c] * d[c];
  }
  let mean = vec_sum(sum);
  // unroll
  for (var c = 0u; c < HELD; c++) { y[start + c] = p[c] * (d[c] - mean); }
}
