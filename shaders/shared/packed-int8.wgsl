// Weights packed as int8, 16 numbers in a vector of four words, with a scale per row (absmax quantization).
// packed-f16.wgsl is the same for f16.

@group(0) @binding(1) var<storage, read> w: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read> scales: array<f32>;

const PARTS: u32 = 4u; // vectors of four numbers in a vector of words

// Vector `part` of the numbers of a vector of words, without the scale of its row.
fn unpacked(words: vec4<u32>, part: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4(words[part]) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}

// Scale of a row: the factor of its numbers.
fn row_scale(row: u32) -> f32 {
  return scales[row] / 127.0;
}
