// Gradients of many layer norms at once: sums[n, part, c] = sum over rows of partials[n, row, part, c], dgamma (part 0)
// and dbeta (part 1) of norm n. Parts of `sums` are padded so that each starts at the offset of its weights. One thread
// per column; the norm is the grid's y.

struct Params {
  rows: u32,
  cols: u32,
  stride: u32, // elements from one norm's partial sums to the next
  part: u32, // elements from one part of sums to the next
}

@group(0) @binding(0) var<storage, read> partials: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

@compute @workgroup_size(64)
fn norm_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let column = id.x;
  let norm = id.y;
  let width = 2u * params.cols;
  if (column >= width) {
    return;
  }
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row++) {
    sum += partials[norm * params.stride + row * width + column];
  }
  let part = column / params.cols;
  sums[(2u * norm + part) * params.part + column % params.cols] = sum;
}
