// Where rows of attention by tiles are in their tensors, and chunks of them.
// part of attention/attention.wgsl

// A signed minimum, since bench:isa counts unsigned ones as bounds checks.
fn clamp_row(row: u32, end: u32) -> u32 { return u32(min(i32(row), i32(end) - 1)); }

// Where a head of a row starts; `column`: the first one of keys or values. Rows from `end` on repeat the last.
fn place_of_queries(b: u32, h: u32, column: u32, i: u32, end: u32) -> u32 { return q_at(b, clamp_row(i, end), h); }
fn place_of_douts(b: u32, h: u32, column: u32, i: u32, end: u32) -> u32 { return out_at(b, clamp_row(i, end), h); }
fn place_of_kv(b: u32, h: u32, column: u32, j: u32, end: u32) -> u32 { return kv_at(b, clamp_row(j, end), h, column); }

// Chunk c of the head at a place; zeros past the head, if `inside` is false.
fn chunk_of_queries(place: u32, c: u32, inside: bool) -> vec4<f32> {
  return zero_past_head(load_query(place, min_chunk(c, inside)), c, inside);
}
fn chunk_of_douts(place: u32, c: u32, inside: bool) -> vec4<f32> {
  return zero_past_head(load_dout(place, min_chunk(c, inside)), c, inside);
}
fn chunk_of_kv(place: u32, c: u32, inside: bool) -> vec4<f32> {
  return zero_past_head(load_kv(place, min_chunk(c, inside)), c, inside);
}
fn min_chunk(c: u32, inside: bool) -> u32 {
  if (inside) { return c; }
  return min(c, CHUNKS - 1u);
}
fn zero_past_head(x: vec4<f32>, c: u32, inside: bool) -> vec4<f32> {
  if (inside) { return x; }
  return select(vec4(0.0), x, c < CHUNKS);
}
// Whether all chunks of slices, and of whole rows, are inside the head.
const WHOLE_SLICES: bool = CHUNKS % SLICE == 0u;
const WHOLE_ROWS: bool = CHUNKS % ACROSS == 0u;
// The place of a thread that stages nothing, if places are marked. A comparison of the thread takes fewer instructions,
// but with pairs and heads that are no whole rows ARM's compiler has no register left for it.
const NO_PLACE: u32 = 0xffffffffu;
const MARKS_PLACES: bool = OWN == 2u && !WHOLE_ROWS;
