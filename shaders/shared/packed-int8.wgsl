// Weights packed as int8, four numbers in one word, with a scale per row (absmax quantization). packed-f16.wgsl is the
// same for f16.

@group(0) @binding(1) var<storage, read> w: array<u32>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;

// Vector i of all weights, row after row, without the scale of its row.
fn weight_vec(i: u32) -> vec4<f32> {
  return unpack4x8snorm(w[i]);
}

// Scale of a row: the factor of its numbers.
fn row_scale(row: u32) -> f32 {
  return scales[row];
}
