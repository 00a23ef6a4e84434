// Tensors read four numbers at a time, for rows whose width is a multiple of 4; lib/cell-1.wgsl is the same for the others.
// include lib/random.wgsl
alias Cell = vec4<f32>;
const CELL: u32 = 4u;

fn cell_sum(v: Cell) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn cell_max(v: Cell) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

// The factors of dropout of the numbers of cell i of a tensor.
fn cell_dropout(key: u32, i: u32, threshold: u32, scale: f32) -> Cell {
  return Cell(
    dropout_factor(key, 4u * i, threshold, scale),
    dropout_factor(key, 4u * i + 1u, threshold, scale),
    dropout_factor(key, 4u * i + 2u, threshold, scale),
    dropout_factor(key, 4u * i + 3u, threshold, scale),
  );
}
