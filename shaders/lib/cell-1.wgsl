// Tensors read number by number, for rows of any width; lib/cell-4.wgsl is the same four at a time.
// include lib/random.wgsl
alias Cell = f32;
const CELL: u32 = 1u;

fn cell_sum(v: Cell) -> f32 {
  return v;
}

fn cell_max(v: Cell) -> f32 {
  return v;
}

fn cell_number(v: Cell, k: u32) -> f32 {
  return v;
}

fn cell_first(v: Cell, x: f32) -> u32 {
  return 0u;
}

fn cell_at_number(x: f32, c: u32, column: u32) -> Cell {
  return select(0.0, x, c == column);
}

fn cell_dropout(key: u32, i: u32, threshold: u32, scale: f32) -> Cell {
  return dropout_factor(key, i, threshold, scale);
}
