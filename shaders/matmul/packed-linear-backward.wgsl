// Gradient of the input of a linear layer with quantized weights: dx = dy · w, dy [rows, outs], w [outs, ins] packed.
// Register tiling: a thread computes ROWS rows of the columns in one vector of words, which it reads once for each row
// of w; neighbouring threads read neighbouring vectors. The numbers of dy are the same for all threads of a workgroup.
// include f16: shared/packed-f16.wgsl | int8: shared/packed-int8.wgsl

struct Params {
  rows: u32,
  ins: u32,
  outs: u32,
  vecs: u32, // vectors of words in a row of weights
  width: u32, // numbers in a row of dy, of which this launch reads `outs`
  first: u32, // the first of them
  accumulate: u32, // 1: add to dx
}
@group(0) @binding(0) var<storage, read> dy: array<f32>; // [rows, width]
@group(0) @binding(3) var<storage, read_write> dx: array<f32>; // [rows, ins]
@group(0) @binding(4) var<uniform> params: Params;

const ROWS: u32 = 4u;
const LANES: u32 = 32u;

@compute @workgroup_size(LANES)
fn packed_linear_backward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let c = group.x * LANES + thread;
  let row = ROWS * group.y;
  if (c >= params.vecs) { return; }
  var sums: array<array<vec4<f32>, PARTS>, ROWS>;
  var at: array<u32, ROWS>;
  // Rows past the last are the last.
  // unroll
  for (var r = 0u; r < ROWS; r++) { at[r] = min(row + r, params.rows - 1u) * params.width + params.first; }
  for (var o = 0u; o < params.outs; o++) {
    let words = w[o * params.vecs + c];
    let scale = row_scale(o);
    var d: array<f32, ROWS>;
    // unroll
    for (var r = 0u; r < ROWS; r++) { d[r] = dy[at[r] + o] * scale; }
    // unroll
    for (var part = 0u; part < PARTS; part++) {
      let v = unpacked(words, part);
      // unroll
      for (var r = 0u; r < ROWS; r++) { sums[r][part] += v * d[r]; }
    }
  }
  // Bounds that compilers do not know, so that they do not unroll the loops.
  let left = min(ROWS, params.rows - row);
  let begin = 4u * PARTS * c;
  let count = min(4u * PARTS, params.ins - begin);
  for (var r = 0u; r < left; r++) {
    for (var k = 0u; k < count; k++) {
      let i = (row + r) * params.ins + begin + k;
      var sum = sums[r][k / 4u][k % 4u];
      if (params.accumulate != 0u) { sum += dx[i]; }
      dx[i] = sum;
    }
  }
}
