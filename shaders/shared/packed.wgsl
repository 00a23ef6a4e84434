// Quantized weights, packed in vectors of four words: eight numbers as f16 (for devices without shader-f16 as
// well), or, in the variant `int8` of a kernel, 16 numbers as int8 with a scale per row (absmax
// quantization), or, in the variant `int4`, a block of 32 numbers q from 0 to 15 as (q - zero) * scale.
// Kernels with int4 have `scale_words` and `vecs` in Params.

@group(0) @binding(1) var<storage, read> w: array<vec4<u32>>;
// For int4 for each row the scales of its blocks, f32 or pairs of f16, then their zeros if they have some, eight a
// word.
@if(int8) @group(0) @binding(2) var<storage, read> scales: array<f32>;
@elif(int4) @group(0) @binding(2) var<storage, read> scales: array<u32>;

@if(int4) override SCALES_F32: bool = false;
@if(int4) override ZERO_POINTS: bool = false; // without, all zeros are 8

// A vector of words, and for int4 the scale of its numbers and what is added to them.
@if(int4) struct Packed { words: vec4<u32>, scale: f32, offset: f32 }
@else struct Packed { words: vec4<u32> }

// Vector `i` of w, which is vector `c` of row `row`.
@if(int4) fn packed(i: u32, row: u32, c: u32) -> Packed {
  let at = row * params.scale_words;
  var scale: f32;
  if (SCALES_F32) {
    scale = bitcast<f32>(scales[at + c]);
  } else {
    let pair = unpack2x16float(scales[at + c / 2u]);
    scale = select(pair.x, pair.y, (c & 1u) == 1u);
  }
  var zero = 8.0;
  if (ZERO_POINTS) {
    let first = at + select((params.vecs + 1u) / 2u, params.vecs, SCALES_F32);
    zero = f32((scales[first + c / 8u] >> (4u * (c & 7u))) & 15u);
  }
  return Packed(w[i], scale, -zero * scale);
}
@else fn packed(i: u32, row: u32, c: u32) -> Packed { return Packed(w[i]); }

// A vector of words has PARTS parts of one or two words, each with HALVES times four numbers. A word of int4 is
// read as bytes: its first half are the even numbers, in the low bits of the bytes, its second the odd ones.
@if(int8) const PARTS: u32 = 4u;
@elif(int4) const PARTS: u32 = 4u;
@else const PARTS: u32 = 2u;
@if(int4) const HALVES: u32 = 2u;
@else const HALVES: u32 = 1u;
// Vectors of four numbers in a vector of words.
const VECS_PER_LOAD: u32 = PARTS * HALVES;

// The four numbers of a word of int8, in the low bits of the four bytes of a word of int4, or of two words of f16;
// without their scale.
@if(int8) fn numbers(word: u32) -> vec4<f32> {
  return vec4<f32>(bitcast<vec4<i32>>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}
@elif(int4) fn numbers(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4(word & 0x0f0f0f0fu) >> vec4(0u, 8u, 16u, 24u)) & vec4(255u));
}
@else fn numbers(low: u32, high: u32) -> vec4<f32> {
  return vec4(unpack2x16float(low), unpack2x16float(high));
}

// Half `half` of part `part` of the numbers of a vector of words.
@if(int8) fn unpacked(p: Packed, part: u32, half: u32) -> vec4<f32> { return numbers(p.words[part]); }
@elif(int4) fn unpacked(p: Packed, part: u32, half: u32) -> vec4<f32> {
  return numbers(p.words[part] >> (4u * half)) * p.scale + p.offset;
}
@else fn unpacked(p: Packed, part: u32, half: u32) -> vec4<f32> {
  return numbers(p.words[2u * part], p.words[2u * part + 1u]);
}

// A vector of words whose first part is part `part` of vector `i` of w.
@if(int8) fn with_part(p: Packed, i: u32, part: u32) -> Packed { return Packed(vec4(w[i][part], 0u, 0u, 0u)); }
@elif(int4) fn with_part(p: Packed, i: u32, part: u32) -> Packed {
  return Packed(vec4(w[i][part], 0u, 0u, 0u), p.scale, p.offset);
}
@else fn with_part(p: Packed, i: u32, part: u32) -> Packed {
  return Packed(vec4(w[i][2u * part], w[i][2u * part + 1u], 0u, 0u));
}

// The words of thread `share` of two that share a vector of words of int4.
@if(int4) fn share_of(p: Packed, share: u32) -> Packed {
  return Packed(vec4(select(p.words.xy, p.words.zw, share == 1u), 0u, 0u), p.scale, p.offset);
}
@else fn share_of(p: Packed, share: u32) -> Packed { return p; }

// Vector `i` of the numbers of a vector of words, in their order. `i` need not be constant: a choice among the
// words needs no bounds check, unlike an index.
@if(int8) fn unpacked_any(p: Packed, i: u32) -> vec4<f32> {
  let half = select(p.words.xy, p.words.zw, i > 1u);
  return numbers(select(half.x, half.y, (i & 1u) == 1u));
}
@elif(int4) fn unpacked_any(p: Packed, i: u32) -> vec4<f32> {
  let half = select(p.words.xy, p.words.zw, i > 3u);
  let word = select(half.x, half.y, (i & 2u) == 2u) >> (16u * (i & 1u));
  return vec4<f32>((vec4(word) >> vec4(0u, 4u, 8u, 12u)) & vec4(15u)) * p.scale + p.offset;
}
@else fn unpacked_any(p: Packed, i: u32) -> vec4<f32> {
  let half = select(p.words.xy, p.words.zw, i > 0u);
  return numbers(half.x, half.y);
}

// Scale of a row: the factor of its numbers.
@if(int8) fn row_scale(row: u32) -> f32 { return scales[row] / 127.0; }
@else fn row_scale(row: u32) -> f32 { return 1.0; }
