// Quantized weights, packed in vectors of four words: eight numbers as f16 (for devices without shader-f16 as
// well), or, in the variant `int8` of a kernel, 16 numbers as int8 with a scale per row (absmax
// quantization).

@group(0) @binding(1) var<storage, read> w: array<vec4<u32>>;
@if(int8) @group(0) @binding(2) var<storage, read> scales: array<f32>;

// Vectors of four numbers in a vector of words.
@if(int8) const VECS_PER_LOAD: u32 = 4u;
@else const VECS_PER_LOAD: u32 = 2u;

// The four numbers of a word of int8, or of two words of f16, without the scale of their row.
@if(int8) fn numbers(word: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}
@else fn numbers(low: u32, high: u32) -> vec4<f32> {
  return vec4(unpack2x16float(low), unpack2x16float(high));
}

// Vector `part` of the numbers of a vector of words.
@if(int8) fn unpacked(words: vec4<u32>, part: u32) -> vec4<f32> { return numbers(words[part]); }
@else fn unpacked(words: vec4<u32>, part: u32) -> vec4<f32> { return numbers(words[2u * part], words[2u * part + 1u]); }

// The same for a part that is not constant: a choice among the words needs no bounds check, unlike an index.
@if(int8) fn unpacked_any(words: vec4<u32>, part: u32) -> vec4<f32> {
  let half = select(words.xy, words.zw, part > 1u);
  return numbers(select(half.x, half.y, (part & 1u) == 1u));
}
@else fn unpacked_any(words: vec4<u32>, part: u32) -> vec4<f32> {
  let half = select(words.xy, words.zw, part > 0u);
  return numbers(half.x, half.y);
}

// Scale of a row: the factor of its numbers.
@if(int8) fn row_scale(row: u32) -> f32 { return scales[row] / 127.0; }
@else fn row_scale(row: u32) -> f32 { return 1.0; }
