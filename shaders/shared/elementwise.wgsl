// Division of work in elementwise kernels: a thread computes PER vectors of four numbers, THREADS apart, so that
// neighbouring threads access neighbouring vectors. The last vector of a tensor may be partly filled; `within` keeps
// its unused numbers zero.
// include shared/kernel.wgsl

const THREADS: u32 = 256u;
const PER: u32 = 1u;

// The first vector of a thread.
fn first_vec(thread: Thread) -> u32 {
  return group_index(thread) * THREADS * PER + thread.index;
}

// The end of a thread's vectors in a tensor of `count` numbers.
fn end_vec(first: u32, count: u32) -> u32 {
  return min(first + THREADS * PER, (count + 3u) / 4u);
}

// Vector i of a tensor of `count` numbers, with zeros past the end.
fn within(v: vec4<f32>, i: u32, count: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(4u * i) + vec4(0u, 1u, 2u, 3u) < vec4(count));
}
