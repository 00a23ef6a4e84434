// The own rows of a thread in attention by tiles: 4, or 2 in the variant `pairs`.
// part of attention/attention.wgsl

// Numbers, indices and chunks of the own rows of a thread.
@if(pairs) const OWN: u32 = 2u;
@else const OWN: u32 = 4u;
@if(pairs) alias Numbers = vec2<f32>;
@else alias Numbers = vec4<f32>;
@if(pairs) alias Indices = vec2<u32>;
@else alias Indices = vec4<u32>;
@if(pairs) alias Rows = mat2x4<f32>;
@else alias Rows = mat4x4<f32>;

@if(pairs) fn rows_from(i: u32) -> Indices { return vec2(i, i + 1u); }
@else fn rows_from(i: u32) -> Indices { return four(i); }
// Chunk c of each own row of a thread in a slice. The bound of the index is proven here, since compilers do not look
// into callers.
@if(pairs) fn own_chunks(thread: u32, c: u32) -> Rows {
  let at = min(thread, THREADS - 1u) / ACROSS * (OWN * PITCH) + min(c, SLICE - 1u);
  return mat2x4(own_tile[at], own_tile[at + PITCH]);
}
@else fn own_chunks(thread: u32, c: u32) -> Rows {
  let at = min(thread, THREADS - 1u) / ACROSS * (OWN * PITCH) + min(c, SLICE - 1u);
  return mat4x4(own_tile[at], own_tile[at + PITCH], own_tile[at + 2u * PITCH], own_tile[at + 3u * PITCH]);
}
// s + x·rows: adds the products of four columns to the scores of one other row and the own rows.
@if(pairs) fn row_products(s: Numbers, x: vec4<f32>, rows: Rows) -> Numbers {
  return vec2(dot4(s.x, x, rows[0]), dot4(s.y, x, rows[1]));
}
@else fn row_products(s: Numbers, x: vec4<f32>, rows: Rows) -> Numbers { return dots(s, x, rows); }
// x for each row, weighted by p; and each row weighted by p.
@if(pairs) fn outer(p: Numbers, x: vec4<f32>) -> Rows { return mat2x4(p.x * x, p.y * x); }
@else fn outer(p: Numbers, x: vec4<f32>) -> Rows { return mat4x4(p.x * x, p.y * x, p.z * x, p.w * x); }
@if(pairs) fn scaled(rows: Rows, p: Numbers) -> Rows { return mat2x4(rows[0] * p.x, rows[1] * p.y); }
@else fn scaled(rows: Rows, p: Numbers) -> Rows {
  return mat4x4(rows[0] * p.x, rows[1] * p.y, rows[2] * p.z, rows[3] * p.w);
}
// `factors` and `biased` of the own rows.
@if(pairs) fn row_factors(key: u32, at: u32, stride: u32) -> Numbers { return factors(key, at, stride).xy; }
@else fn row_factors(key: u32, at: u32, stride: u32) -> Numbers { return factors(key, at, stride); }
@if(pairs) fn row_biased(s: Numbers, h: u32, i: Indices, j: Indices) -> Numbers {
  return biased(vec4(s, s), h, vec4(i, i), vec4(j, j)).xy;
}
@else fn row_biased(s: Numbers, h: u32, i: Indices, j: Indices) -> Numbers { return biased(s, h, i, j); }
