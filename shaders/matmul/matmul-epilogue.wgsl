// Epilogue of a product: bias, activation or multiplication by its derivative, dropout, addition, and the store of C.
// part of matmul/matmul-tiled.wgsl
// include matmul/matmul-operands.wgsl
// include shared/activation-functions.wgsl

const ADD: u32 = 5u; // after the kinds of activations

// Stores the first `left` of four numbers of row m of C from column n on.
fn store_row(p: Product, m: u32, n: u32, left: u32, sums: vec4<f32>) {
  if (m >= p.m || n >= p.n) { return; }
  let i = p.c0 + m * p.n + n;
  var v = sums;
  if (p.purpose == DW) {
    if (params.accumulate != 0u) { v += y2_four(i, left); }
    write_y2(i, v, left);
    return;
  }
  if (params.bias != 0u) { v += bias_four(n, left); }
  if (p.purpose == KEPT) { write_y2(i, v, left); }
  v = activate4(v, params.activation);
  if (params.epilogue != 0u && params.epilogue != ADD) { v *= activation_slope4(epilogue_four(i, left), params.epilogue); }
  if (params.threshold != 0u) { v *= dropout_four(p.key, i); }
  if (params.epilogue == ADD) { v += epilogue_four(i, left); }
  write_y(i, v, left);
}

// Dropout factors of four numbers of C from i on.
fn dropout_four(key: u32, i: u32) -> vec4<f32> {
  return vec4(
    dropout_factor(key, i, params.threshold, params.keep_scale),
    dropout_factor(key, i + 1u, params.threshold, params.keep_scale),
    dropout_factor(key, i + 2u, params.threshold, params.keep_scale),
    dropout_factor(key, i + 3u, params.threshold, params.keep_scale),
  );
}

// Stores a 4x4 block of C at row m, column n; row s is block[s].
fn store_block(p: Product, m: u32, n: u32, block: mat4x4<f32>) {
  var rows = block;
  for (var s = 0u; s < 4u; s++) { store_row(p, m + s, n, p.n - n, rows[s]); }
}
