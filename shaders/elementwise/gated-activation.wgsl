// Gated activation (Shazeer, 2020, "GLU variants improve transformer"): a row of x holds a and then b, both `cols` wide.
//   y = f(a) * b        da = dy * b * f'(a)        db = dy * f(a)
// KIND selects the activation f. A thread computes four columns of y, or of da and db; rows may have any width.
// include shared/thread.wgsl
// include shared/activation-functions.wgsl

struct Params {
  rows: u32,
  cols: u32, // of y
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
@group(0) @binding(4) var<uniform> params: Params;

override KIND: u32 = 0u;

// Row, first column and number of columns of a thread.
fn part_of(thread: Thread) -> vec3<u32> {
  let i = group_index(thread) * 64u + thread.index;
  let parts = (params.cols + 3u) / 4u;
  let column = i % parts * 4u;
  return vec3(i / parts, column, select(0u, min(4u, params.cols - column), i / parts < params.rows));
}

// Numbers i .. i + count - 1 of x.
fn read4(i: u32, count: u32) -> vec4<f32> {
  var v = vec4<f32>();
  for (var k = 0u; k < count; k++) {
    v[k] = x[i + k];
  }
  return v;
}

@compute @workgroup_size(64)
fn gated_activation(thread: Thread) {
  let part = part_of(thread);
  let a = part.x * 2u * params.cols + part.y;
  let f = activate4(read4(a, part.z), KIND);
  for (var k = 0u; k < part.z; k++) {
    y[part.x * params.cols + part.y + k] = f[k] * x[a + params.cols + k];
  }
}

@compute @workgroup_size(64)
fn gated_activation_backward(thread: Thread) {
  let part = part_of(thread);
  let a = part.x * 2u * params.cols + part.y;
  let v = read4(a, part.z);
  let f = activate4(v, KIND);
  let slope = activation_slope4(v, KIND);
  for (var k = 0u; k < part.z; k++) {
    let d = dy[part.x * params.cols + part.y + k];
    dx[a + k] = d * x[a + params.cols + k] * slope[k];
    dx[a + params.cols + k] = d * f[k];
  }
}
