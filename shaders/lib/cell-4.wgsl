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

// Number k of a cell.
fn cell_number(v: Cell, k: u32) -> f32 {
  return v[k];
}

// Where in a cell its number `x` first stands.
fn cell_first(v: Cell, x: f32) -> u32 {
  return select(select(select(3u, 2u, v.z == x), 1u, v.y == x), 0u, v.x == x);
}

// Cell c of a row that has x in column `column` and is 0 elsewhere.
fn cell_at_number(x: f32, c: u32, column: u32) -> Cell {
  return select(Cell(0.0), Cell(x), vec4(4u * c) + vec4(0u, 1u, 2u, 3u) == vec4(column));
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
