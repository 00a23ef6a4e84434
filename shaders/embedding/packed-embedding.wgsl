// Embedding of a quantized table: out[b, t] = table[ids[b, t]] * scale + positions[t + offset]. One thread per vector of
// the output.
// include shared/kernel.wgsl
// include shared/packed.wgsl
// include shared/vec.wgsl

struct Params {
  tokens: u32,
  length: u32,
  width: u32,
  vecs: u32, // vectors of words in a row of the table
  first: u32, // row of the table that is the first of `w`
  rows: u32, // rows of `w`; other launches look up other ids
  last: u32, // last row of the table
  position_rows: u32,
  offset: u32,
  scale: f32,
}
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<Vec>;
@group(0) @binding(4) var<storage, read_write> out: array<Vec>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> step: Step;
@group(0) @binding(7) var<storage, read> places: array<u32>;

override POSITIONS: bool = false;
override PLACES: bool = false; // the row of positions is places[b, t]
override DECODE: bool = false; // position 0 of `ids` is step.position

// The numbers of a row from number k on, of which `v` has four.
@if(scalar) fn vec_from(v: vec4<f32>, k: u32) -> Vec { return v[k % 4u]; }
@else fn vec_from(v: vec4<f32>, k: u32) -> Vec { return v; }

@compute @workgroup_size(64)
fn embedding(thread: Thread) {
  let i = group_index(thread) * 64u + thread.index;
  let vecs = params.width / VEC;
  let place = i / vecs;
  if (place >= params.tokens) { return; }
  let id = min(ids[place], params.last) - params.first; // wraps below `first`
  if (id >= params.rows) { return; }
  let c = i % vecs;
  let quad = VEC * c / 4u;
  let v = unpacked_at(id * params.vecs + quad / PARTS, quad % PARTS);
  var value = vec_from(v, VEC * c) * (row_scale(id) * params.scale);
  if (POSITIONS) {
    var row = place % params.length + params.offset;
    if (DECODE) { row += step.position; }
    if (PLACES) { row = places[place]; }
    value += positions[min(row, params.position_rows - 1u) * vecs + c];
  }
  out[i] = value;
}
