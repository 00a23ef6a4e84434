// What becomes of the sums of a product: bias, activation, what is added or multiplied, and where the result goes.
// include lib/matmul.wgsl
// include lib/activation.wgsl

const ADD: u32 = 4u;

// The first `left` of four numbers of C's row m from column n on.
fn store_row(p: Product, m: u32, n: u32, left: u32, sums: vec4<f32>) {
  if (m >= p.m || n >= p.n) { return; }
  let i = p.c0 + m * p.n + n;
  var v = sums;
  if (p.part == DW) {
    if (params.accumulate != 0u) { v += y2_four(i, left); }
    write_y2(i, v, left);
    return;
  }
  if (params.bias != 0u) { v += bias_four(n, left); }
  if (p.part == KEPT) { write_y2(i, v, left); }
  v = activate4(v, params.activation);
  if (params.extra == ADD) {
    v += extra_four(i, left);
  } else if (params.extra != 0u) {
    v *= activation_slope4(extra_four(i, left), params.extra);
  }
  write_y(i, v, left);
}

// A block of 4 rows from m and 4 columns from n; row s is block[s].
fn store_block(p: Product, m: u32, n: u32, block: mat4x4<f32>) {
  var rows = block;
  for (var s = 0u; s < 4u; s++) { store_row(p, m + s, n, p.n - n, rows[s]); }
}
