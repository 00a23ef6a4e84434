// Weights packed as f16, eight numbers in a vector of four words, for devices without shader-f16 as well.
// packed-int8.wgsl is the same for int8.

@group(0) @binding(1) var<storage, read> w: array<vec4<u32>>;

const PARTS: u32 = 2u; // vectors of four numbers in a vector of words

// Vector `part` of the numbers of a vector of words.
fn unpacked(words: vec4<u32>, part: u32) -> vec4<f32> {
  return vec4(unpack2x16float(words[2u * part]), unpack2x16float(words[2u * part + 1u]));
}

// Scale of a row: the factor of its numbers.
fn row_scale(row: u32) -> f32 {
  return 1.0;
}
