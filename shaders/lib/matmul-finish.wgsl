// What becomes of the sums of a product: bias, activation or the derivative of one, dropout, what is added, and where the result goes.
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
  if (params.extra != 0u && params.extra != ADD) { v *= activation_slope4(extra_four(i, left), params.extra); }
  if (params.threshold != 0u) { v *= dropout_four(p.key, i); }
  if (params.extra == ADD) { v += extra_four(i, left); }
  write_y(i, v, left);
}

// The factors of dropout of four numbers of C from i on.
fn dropout_four(key: u32, i: u32) -> vec4<f32> {
  return vec4(
    dropout_factor(key, i, params.threshold, params.keep_scale),
    dropout_factor(key, i + 1u, params.threshold, params.keep_scale),
    dropout_factor(key, i + 2u, params.threshold, params.keep_scale),
    dropout_factor(key, i + 3u, params.threshold, params.keep_scale),
  );
}

// A block of 4 rows from m and 4 columns from n; row s is block[s].
fn store_block(p: Product, m: u32, n: u32, block: mat4x4<f32>) {
  var rows = block;
  for (var s = 0u; s < 4u; s++) { store_row(p, m + s, n, p.n - n, rows[s]); }
}
