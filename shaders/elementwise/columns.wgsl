// Columns first .. first + narrow - 1 of a matrix with rows of `wide` numbers:
//   add_columns           y = x, plus scale * u in those columns
//   add_columns_in_place  y += scale * u in those columns
//   take_columns          y = scale * x of those columns
//   join_columns          y = the first columns from x, the narrow ones after them from u
// A thread computes PER numbers.
// include shared/elementwise.wgsl

struct Params {
  count: u32, // numbers written
  wide: u32,
  narrow: u32,
  first: u32,
  scale: f32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> u: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<uniform> params: Params;

// Index in the wide matrix of number i of the narrow one.
fn in_wide(i: u32) -> u32 {
  return i / params.narrow * params.wide + params.first + i % params.narrow;
}

@compute @workgroup_size(THREADS)
fn add_columns(thread: Thread) {
  let span = span_of(thread, params.count);
  for (var i = span.first; i < span.end; i += THREADS) {
    let column = i % params.wide;
    var value = x[i];
    if (column >= params.first && column < params.first + params.narrow) {
      value += params.scale * u[i / params.wide * params.narrow + column - params.first];
    }
    y[i] = value;
  }
}

@compute @workgroup_size(THREADS)
fn add_columns_in_place(thread: Thread) {
  let span = span_of(thread, params.count);
  for (var i = span.first; i < span.end; i += THREADS) {
    y[in_wide(i)] += params.scale * u[i];
  }
}

@compute @workgroup_size(THREADS)
fn take_columns(thread: Thread) {
  let span = span_of(thread, params.count);
  for (var i = span.first; i < span.end; i += THREADS) {
    y[i] = params.scale * x[in_wide(i)];
  }
}

@compute @workgroup_size(THREADS)
fn join_columns(thread: Thread) {
  let span = span_of(thread, params.count);
  for (var i = span.first; i < span.end; i += THREADS) {
    let row = i / params.wide;
    let column = i % params.wide;
    if (column < params.first) {
      y[i] = x[row * params.first + column];
    } else {
      y[i] = u[row * params.narrow + column - params.first];
    }
  }
}
