// Column sums: sums[c] = sum over rows of partials[row, c], one thread per vector of columns. Entry points:
//   column_sum_1   sums0 [cols]
//   column_sum_2   sums0 and sums1 [cols], of partials with 2·cols columns
//   norm_sums      the same for many norms at once, in the layout of their weights: dgamma and dbeta of norm n, the grid's
//                  y, are sums0[2·n·part ..] and sums0[(2·n + 1)·part ..]
// include shared/kernel.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  cols: u32, // of one output
  stride: u32, // elements from one norm's partial sums to the next
  part: u32, // elements from one norm's dgamma to its dbeta
}

@group(0) @binding(0) var<storage, read> partials: array<Vec>;
@group(0) @binding(1) var<storage, read_write> sums0: array<Vec>;
@group(0) @binding(2) var<storage, read_write> sums1: array<Vec>;
@group(0) @binding(3) var<uniform> params: Params;

const THREADS: u32 = 64u;

// The sum of the vectors from `first` on that are `vecs` apart.
fn sum_of(first: u32, vecs: u32) -> Vec {
  var sum = Vec(0.0);
  var i = first;
  for (var row = 0u; row < params.rows; row++) {
    sum += partials[i];
    i += vecs;
  }
  return sum;
}

@compute @workgroup_size(THREADS)
fn column_sum_1(thread: Thread) {
  let c = group_index(thread) * THREADS + thread.index;
  let vecs = params.cols / VEC;
  if (c < vecs) { sums0[c] = sum_of(c, vecs); }
}

@compute @workgroup_size(THREADS)
fn column_sum_2(thread: Thread) {
  let c = group_index(thread) * THREADS + thread.index;
  let vecs = params.cols / VEC;
  if (c < vecs) {
    sums0[c] = sum_of(c, 2u * vecs);
  } else if (c < 2u * vecs) {
    sums1[c - vecs] = sum_of(c, 2u * vecs);
  }
}

@compute @workgroup_size(THREADS)
fn norm_sums(@builtin(global_invocation_id) id: vec3<u32>) {
  let c = id.x;
  let norm = id.y;
  let vecs = params.cols / VEC;
  if (c >= 2u * vecs) { return; }
  let place = select(c, params.part / VEC + c - vecs, c >= vecs);
  sums0[2u * norm * (params.part / VEC) + place] = sum_of(norm * (params.stride / VEC) + c, 2u * vecs);
}
