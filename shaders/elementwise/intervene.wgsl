// Replaces parts of a tensor: y = (1 - a)·x + a·value, where a is the amount of the group of numbers that x is in; exact
// if it is 0 or 1. A thread computes PER numbers.
// include shared/elementwise.wgsl

struct Params {
  count: u32,
  group: u32, // numbers of x that share an amount
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> amount: array<f32>;
@group(0) @binding(2) var<storage, read> value: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn intervene(thread: Thread) {
  let span = span_of(thread, params.count);
  for (var i = span.first; i < span.end; i += THREADS) {
    let a = amount[i / params.group];
    y[i] = (1.0 - a) * x[i] + a * value[i];
  }
}
