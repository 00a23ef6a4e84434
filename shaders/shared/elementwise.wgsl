// Division of work in elementwise kernels: a thread computes PER items (numbers, or vectors of four), THREADS
// apart, so that neighbouring threads access neighbouring items. The last vector of a tensor may be partly
// filled; `within` keeps its unused numbers zero.
// include shared/kernel.wgsl

const THREADS: u32 = 256u;
const PER: u32 = 1u;

// The items of a thread: `first`, first + THREADS and so on, below `end`.
struct Span {
  first: u32,
  end: u32,
}

// The items of a thread out of `count`.
fn span_of(thread: Thread, count: u32) -> Span {
  let first = group_index(thread) * THREADS * PER + thread.index;
  return Span(first, min(first + THREADS * PER, count));
}

// Number of vectors in a tensor of `count` numbers.
fn vecs_of(count: u32) -> u32 { return (count + 3u) / 4u; }

// Vector i of a tensor of `count` numbers, with zeros past the end.
fn within(v: vec4<f32>, i: u32, count: u32) -> vec4<f32> {
  return select(vec4(0.0), v, vec4(4u * i) + vec4(0u, 1u, 2u, 3u) < vec4(count));
}
