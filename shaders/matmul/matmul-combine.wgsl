// Second pass of split-K: C = the sum of the slices in order, and the epilogue. A is the slices [K, M, N]. One thread
// per four numbers of a row of C.
// include shared/thread.wgsl
// include matmul/matmul-epilogue.wgsl
// include matmul/matmul-output-scalar.wgsl

fn combine_row(purpose: u32, thread: Thread) {
  let fours = (params.n + 3u) / 4u;
  let i = group_index(thread) * 64u + thread.index;
  let m = i / fours;
  let n = (i % fours) * 4u;
  if (m >= params.m) { return; }
  var sum: vec4<f32>;
  for (var s = 0u; s < params.k; s++) {
    sum += a_four((s * params.m + m) * params.n + n, params.n - n);
  }
  store_row(plain_product(purpose, 0u), m, n, params.n - n, sum);
}

@compute @workgroup_size(64)
fn combine(thread: Thread) {
  combine_row(PLAIN, thread);
}

@compute @workgroup_size(64)
fn combine_kept(thread: Thread) {
  combine_row(KEPT, thread);
}
