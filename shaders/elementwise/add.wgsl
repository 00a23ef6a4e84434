// y = a + b, element by element; `add_in_place`: y = y + b.
// A thread computes PER vectors of four numbers.
// include shared/elementwise.wgsl

struct Params {
  count: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(3) var<uniform> params: Params;

@compute @workgroup_size(THREADS)
fn add(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(a[i] + b[i], i, params.count);
  }
}

@compute @workgroup_size(THREADS)
fn add_in_place(thread: Thread) {
  let first = first_vec(thread);
  let end = end_vec(first, params.count);
  for (var i = first; i < end; i += THREADS) {
    y[i] = within(y[i] + b[i], i, params.count);
  }
}
