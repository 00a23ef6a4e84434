// Gated activation (Shazeer, 2020, "GLU variants improve transformer"): a row of x holds a and then b, both
// `cols` wide.
//   y = f(a) * b        da = dy * b * f'(a)        db = dy * f(a)
// KIND selects the activation f. One row group per row.
// include shared/kernel.wgsl
// include shared/activation-functions.wgsl
// include shared/row-group.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  cols: u32, // of y
}

@group(0) @binding(0) var<storage, read> x: array<Vec>;
@group(0) @binding(1) var<storage, read_write> y: array<Vec>;
@group(0) @binding(2) var<storage, read> dy: array<Vec>;
@group(0) @binding(3) var<storage, read_write> dx: array<Vec>;
@group(0) @binding(4) var<uniform> params: Params;

override KIND: u32 = 0u;

@compute @workgroup_size(THREADS)
fn gated_activation(thread: Thread) {
  let row = row_of(thread);
  let vecs = params.cols / VEC;
  if (row >= params.rows) { return; }
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    let a = 2u * row * vecs + c;
    y[row * vecs + c] = vec_of(activate4(vec4<f32>(x[a]), KIND)) * x[a + vecs];
  }
}

@compute @workgroup_size(THREADS)
fn gated_activation_backward(thread: Thread) {
  let row = row_of(thread);
  let vecs = params.cols / VEC;
  if (row >= params.rows) { return; }
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    let i = 2u * row * vecs + c;
    let a = vec4<f32>(x[i]);
    let d = dy[row * vecs + c];
    dx[i] = d * x[i + vecs] * vec_of(activation_derivative4(a, KIND));
    dx[i + vecs] = d * vec_of(activate4(a, KIND));
  }
}
