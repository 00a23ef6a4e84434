// Outputs of a product, and the tensor of its epilogue, number by number: any N. matmul-output-vec4.wgsl is the same
// for multiples of 4.
// part of matmul/matmul-tiled.wgsl

@group(0) @binding(4) var<storage, read> epilogue: array<f32>; // [M, N]
@group(0) @binding(5) var<storage, read_write> y: array<f32>; // [M, N]
@group(0) @binding(6) var<storage, read_write> y2: array<f32>; // KEPT: as y; linear_backward: dw [out, in]

// Stores the first `left` of the four numbers.
fn write_y(i: u32, v: vec4<f32>, left: u32) {
  y[i] = v.x;
  if (left > 1u) { y[i + 1u] = v.y; }
  if (left > 2u) { y[i + 2u] = v.z; }
  if (left > 3u) { y[i + 3u] = v.w; }
}

fn write_y2(i: u32, v: vec4<f32>, left: u32) {
  y2[i] = v.x;
  if (left > 1u) { y2[i + 1u] = v.y; }
  if (left > 2u) { y2[i + 2u] = v.z; }
  if (left > 3u) { y2[i + 3u] = v.w; }
}

fn y2_four(i: u32, left: u32) -> vec4<f32> {
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(y2[at.x], y2[at.y], y2[at.z], y2[at.w]);
}

fn epilogue_four(i: u32, left: u32) -> vec4<f32> {
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(epilogue[at.x], epilogue[at.y], epilogue[at.z], epilogue[at.w]);
}

fn bias_four(n: u32, left: u32) -> vec4<f32> {
  return bias_from(n, left, false);
}
