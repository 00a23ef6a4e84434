// Embedding of a quantized table: out[b, t] = table[ids[b, t]] * scale + positions[t + offset]. One thread per four
// numbers.
// include shared/kernel.wgsl
// include shared/packed.wgsl

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
@group(0) @binding(3) var<storage, read> positions: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> step: Step;
@group(0) @binding(7) var<storage, read> places: array<u32>;

override POSITIONS: bool = false;
override PLACES: bool = false; // the row of positions is places[b, t]
override DECODE: bool = false; // position 0 of `ids` is step.position

@compute @workgroup_size(64)
fn embedding(thread: Thread) {
  let i = group_index(thread) * 64u + thread.index;
  let place = i / (params.vecs * PARTS);
  let c = i % (params.vecs * PARTS);
  if (place >= params.tokens || 4u * c >= params.width) { return; }
  let id = min(ids[place], params.last) - params.first; // wraps below `first`
  if (id >= params.rows) { return; }
  let v = unpacked(w[id * params.vecs + c / PARTS], c % PARTS) * (row_scale(id) * params.scale);
  var row = place % params.length + params.offset;
  if (DECODE) { row += step.position; }
  if (PLACES) { row = places[place]; }
  row = min(row, max(params.position_rows, 1u) - 1u);
  for (var k = 0u; k < min(4u, params.width - 4u * c); k++) {
    let column = 4u * c + k;
    var value = v[k];
    if (POSITIONS) { value += positions[row * params.width + column]; }
    out[place * params.width + column] = value;
  }
}
