// Outputs of a product, and the tensor of its epilogue, as vectors of four numbers: N is a multiple of 4.
// matmul-output-scalar.wgsl is the same for any N.
// part of matmul/matmul-tiled.wgsl

@group(0) @binding(4) var<storage, read> epilogue: array<vec4<f32>>; // [M, N]
@group(0) @binding(5) var<storage, read_write> y: array<vec4<f32>>; // [M, N]
@group(0) @binding(6) var<storage, read_write> y2: array<vec4<f32>>; // KEPT: as y; linear_backward: dw [out, in]

fn write_y(i: u32, v: vec4<f32>, left: u32) {
  y[i >> 2u] = v;
}

fn write_y2(i: u32, v: vec4<f32>, left: u32) {
  y2[i >> 2u] = v;
}

fn y2_four(i: u32, left: u32) -> vec4<f32> {
  return y2[i >> 2u];
}

fn epilogue_four(i: u32, left: u32) -> vec4<f32> {
  return epilogue[i >> 2u];
}

fn bias_four(n: u32, left: u32) -> vec4<f32> {
  return bias_from(n, left, true);
}
