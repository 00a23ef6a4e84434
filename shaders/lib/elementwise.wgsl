// Kernels that work element by element take cells of four numbers, PER of them a thread; the including file says `const PER: u32`.
// Neighbouring threads take neighbouring cells. Every tensor has room for the rest of its last cell; `within` keeps that zero.
// include lib/index.wgsl
const THREADS: u32 = 256u;

// The first cell of a thread; the others follow THREADS apart.
fn first_cell(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
  return group_index(group, groups) * THREADS * PER + thread;
}

// Where a thread stops: after its last cell, or after the last of a tensor of `count` numbers.
fn end_cell(first: u32, count: u32) -> u32 {
  return min(first + THREADS * PER, (count + 3u) / 4u);
}

// The numbers of cell i with zeros beyond the tensor's `count`.
fn within(v: vec4<f32>, i: u32, count: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(4u * i) + vec4(0u, 1u, 2u, 3u) < vec4(count));
}
