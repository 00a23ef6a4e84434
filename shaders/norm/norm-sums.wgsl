// Gradients of many layer norms at once: sums[n, part, c] = sum over rows of partials[n, row, part, c], dgamma (part 0)
// and dbeta (part 1) of norm n. Parts of `sums` are padded so that each starts at the offset of its weights. One thread
// per vector of columns; the norm is the grid's y.
// include shared/vec4.wgsl | scalar: shared/scalar.wgsl

struct Params {
  rows: u32,
  cols: u32,
  stride: u32, // elements from one norm's partial sums to the next
  part: u32, // elements from one part of sums to the next
}

@group(0) @binding(0) var<storage, read> partials: array<Vec>;
@group(0) @binding(1) var<storage, read_write> sums: array<Vec>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn norm_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  let norm = id.y;
  let vecs = params.cols / VEC;
  if (column >= 2u * vecs) { return; }
  var sum = Vec(0.0);
  var i = norm * (params.stride / VEC) + column;
  for (var row = 0u; row < params.rows; row++) {
    sum += partials[i];
    i += 2u * vecs;
  }
  let second = column >= vecs;
  let place = select(column, params.part / VEC + column - vecs, second);
  sums[2u * norm * (params.part / VEC) + place] = sum;
}
