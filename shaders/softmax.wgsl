// Softmax of rows whose width is a multiple of 4; lib/softmax.wgsl has it all.
// include lib/softmax.wgsl
// include lib/cell-4.wgsl

// Cell c of a row, with `other` in the columns from `seen` on.
fn cell_where(v: Cell, c: u32, seen: u32, other: f32) -> Cell {
  return select(Cell(other), v, vec4(4u * c) + vec4(0u, 1u, 2u, 3u) < vec4(seen));
}
