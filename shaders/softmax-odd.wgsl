// Softmax of rows whose width is not a multiple of 4; lib/softmax.wgsl has it all.
// include lib/softmax.wgsl
// include lib/cell-1.wgsl

// Cell c of a row, with `other` in the columns from `seen` on.
fn cell_where(v: Cell, c: u32, seen: u32, other: f32) -> Cell { return select(other, v, c < seen); }
