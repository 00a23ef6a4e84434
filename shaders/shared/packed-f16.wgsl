// Weights packed as f16, four numbers in two words, for devices without shader-f16 as well. packed-int8.wgsl is the
// same for int8.

@group(0) @binding(1) var<storage, read> w: array<vec2<u32>>;

// Vector i of all weights, row after row.
fn weight_vec(i: u32) -> vec4<f32> {
  let words = w[i];
  return vec4(unpack2x16float(words.x), unpack2x16float(words.y));
}

// Scale of a row: the factor of its numbers.
fn row_scale(row: u32) -> f32 {
  return 1.0;
}
