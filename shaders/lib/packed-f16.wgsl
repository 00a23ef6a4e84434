// Weights kept as f16: a cell of four numbers is two words. Needs no shader-f16; lib/packed-int8.wgsl is the same for int8.
@group(0) @binding(1) var<storage, read> w: array<vec2<u32>>;

fn weight_cell(i: u32) -> vec4<f32> {
  let cell = w[i];
  return vec4(unpack2x16float(cell.x), unpack2x16float(cell.y));
}

// What the numbers of a row are still multiplied by.
fn row_scale(row: u32) -> f32 {
  return 1.0;
}
