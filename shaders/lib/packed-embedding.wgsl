// out[b, t] = table[ids[b, t]] * scale + positions[t + offset], a cell of four numbers a thread; the including file unpacks the table:
//   weight_cell(i) -> vec4<f32>   cell i of all, rows one after another
//   row_scale(row) -> f32         what the numbers of a row are still multiplied by
// include lib/index.wgsl
// include lib/step.wgsl

struct Params {
  places: u32,
  length: u32,
  width: u32,
  cells: u32, // of a row
  rows: u32, // of the table
  position_rows: u32,
  offset: u32,
  scale: f32,
}
@group(0) @binding(0) var<storage, read> ids: array<u32>;
@group(0) @binding(3) var<storage, read> positions: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
@group(0) @binding(5) var<uniform> params: Params;
@group(0) @binding(6) var<uniform> step: Step;

override POSITIONS: bool = false;
override DECODE: bool = false; // position 0 of `ids` is step.position

@compute @workgroup_size(64)
fn embedding(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let i = group_index(group, groups) * 64u + thread;
  let place = i / params.cells;
  let cell = i % params.cells;
  if (place >= params.places) { return; }
  let id = min(ids[place], params.rows - 1u);
  let v = weight_cell(id * params.cells + cell) * (row_scale(id) * params.scale);
  var row = place % params.length + params.offset;
  if (DECODE) { row += step.position; }
  row = min(row, max(params.position_rows, 1u) - 1u);
  for (var k = 0u; k < min(4u, params.width - 4u * cell); k++) {
    let column = 4u * cell + k;
    var value = v[k];
    if (POSITIONS) { value += positions[row * params.width + column]; }
    out[place * params.width + column] = value;
  }
}
