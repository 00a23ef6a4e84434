// Embedding of a quantized table, a row group per row: out[b, t] = table[ids[b, t]] * scale + positions[p]
// (embedding.wgsl).
// include shared/kernel.wgsl
// include shared/packed.wgsl
// include shared/row-group.wgsl
// include shared/vec.wgsl

struct Params {
  tokens: u32,
  length: u32,
  width: u32,
  vecs: u32, // vectors of words in a row of the table
  scale_words: u32, // words of scales of a row, for int4
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
@group(0) @binding(7) var<storage, read> position_ids: array<u32>;

override POSITIONS: bool = false;
override POSITION_IDS: bool = false; // the row of positions is position_ids[b, t]
override DECODE: bool = false; // position 0 of `ids` is step.position

// The Vec at element k of a row; `v` has the four elements from k / 4 * 4 on.
@if(scalar) fn vec_from(v: vec4<f32>, k: u32) -> Vec { return v[k % 4u]; }
@else fn vec_from(v: vec4<f32>, k: u32) -> Vec { return v; }

@compute @workgroup_size(THREADS)
fn embedding(thread: Thread) {
  let row = row_of(thread);
  if (row >= params.tokens) { return; }
  let id = min(ids[row], params.last) - params.first; // wraps below `first`
  if (id >= params.rows) { return; }
  let vecs = params.width / VEC;
  var position = row % params.length + params.offset;
  if (DECODE) { position += step.position; }
  if (POSITION_IDS) { position = position_ids[row]; }
  position = min(position, params.position_rows - 1u) * vecs;
  // The embedding of no token, -1, is zero.
  let scale = row_scale(id) * select(params.scale, 0.0, ids[row] == 0xffffffffu);
  for (var c = thread.index % ROW_GROUP_SIZE; c < vecs; c += ROW_GROUP_SIZE) {
    let four = VEC * c / 4u;
    var value = scale * vec_from(unpacked_any(packed(id * params.vecs + four / VECS_PER_LOAD, id, four / VECS_PER_LOAD), four % VECS_PER_LOAD), VEC * c);
    if (POSITIONS) { value += positions[position + c]; }
    out[row * vecs + c] = value;
  }
}
