// Weights kept as int8, a cell of four numbers in one word, and a scale a row; lib/packed-f16.wgsl is the same for f16.
@group(0) @binding(1) var<storage, read> w: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;

fn weight_cell(i: u32) -> vec4<f32> {
  return unpack4x8snorm(w[i]);
}

// What the numbers of a row are still multiplied by.
fn row_scale(row: u32) -> f32 {
  return scales[row];
}
