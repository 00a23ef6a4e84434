// Epilogue of a product: y = dropout(f(C + bias) · g'(epilogue)), or dropout(f(C + bias)) + epilogue if ADD,
// with the activations f and g. C is stored in vectors, or in the variant `scalar`, for rows that are not
// whole vectors, by element.
// include matmul/matmul-operands.wgsl
// include shared/activation-functions.wgsl
// include shared/vec.wgsl

@group(0) @binding(4) var<storage, read> epilogue: array<Vec>; // [M, N]
@group(0) @binding(5) var<storage, read_write> y: array<Vec>; // [M, N]
@group(0) @binding(6) var<storage, read_write> y2: array<Vec>; // KEPT: as y; linear_backward: dw [out, in]

const ADD: u32 = 6u; // after the kinds of activations

// Applies the epilogue to the first `left` of four numbers of row m of C from column n on, and stores them.
fn store_row(p: Product, m: u32, n: u32, left: u32, sums: vec4<f32>) {
  if (m >= p.m || n >= p.n) { return; }
  if (has_nonlinear_epilogue(p)) {
    store_function_row(p, m, n, left, sums);
  } else {
    store_plain_row(p, m, n, left, sums);
  }
}

fn store_function_row(p: Product, m: u32, n: u32, left: u32, sums: vec4<f32>) {
  let i = p.c0 + m * p.ldc + n;
  var v = add_bias(n, left, sums);
  if (p.purpose == KEPT) { write_y2(i, v, left); }
  v = activate4(v, params.activation);
  if (params.epilogue != 0u && params.epilogue != ADD) { v *= activation_derivative4(epilogue_four(i, left), params.epilogue); }
  if (params.threshold != 0u) { v *= dropout_factors(p.key, i, 1u, params.threshold, params.keep_scale); }
  add_and_store(i, v, left);
}

// Whether the epilogue has an activation, its derivative, dropout, or keeps the input of the activation.
fn has_nonlinear_epilogue(p: Product) -> bool {
  if (p.purpose == DW) { return false; }
  let has_slope = params.epilogue != 0u && params.epilogue != ADD;
  return p.purpose == KEPT || params.activation != 0u || has_slope || params.threshold != 0u;
}

fn store_plain_row(p: Product, m: u32, n: u32, left: u32, sums: vec4<f32>) {
  let i = p.c0 + m * p.ldc + n;
  if (p.purpose != DW) {
    add_and_store(i, add_bias(n, left, sums), left);
    return;
  }
  var v = sums;
  if (params.accumulate != 0u) { v += y2_four(i, left); }
  write_y2(i, v, left);
}

fn add_bias(n: u32, left: u32, sums: vec4<f32>) -> vec4<f32> {
  if (params.bias == 0u) { return sums; }
  return sums + bias_from(n, left, VEC == 4u);
}

fn add_and_store(i: u32, sums: vec4<f32>, left: u32) {
  var v = sums;
  if (params.epilogue == ADD) { v += epilogue_four(i, left); }
  if (VEC == 4u && left < 4u) { v = select(vec4<f32>(), v, OFFSETS < vec4(left)); }
  write_y(i, v, left);
}

// Loads and stores of the first `left` of four numbers of C from i on.
@if(scalar) fn write_y(i: u32, v: vec4<f32>, left: u32) {
  y[i] = v.x;
  if (left > 1u) { y[i + 1u] = v.y; }
  if (left > 2u) { y[i + 2u] = v.z; }
  if (left > 3u) { y[i + 3u] = v.w; }
}
@else fn write_y(i: u32, v: vec4<f32>, left: u32) { y[i >> 2u] = v; }
@if(scalar) fn write_y2(i: u32, v: vec4<f32>, left: u32) {
  y2[i] = v.x;
  if (left > 1u) { y2[i + 1u] = v.y; }
  if (left > 2u) { y2[i + 2u] = v.z; }
  if (left > 3u) { y2[i + 3u] = v.w; }
}
@else fn write_y2(i: u32, v: vec4<f32>, left: u32) { y2[i >> 2u] = v; }
@if(scalar) fn y2_four(i: u32, left: u32) -> vec4<f32> {
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(y2[at.x], y2[at.y], y2[at.z], y2[at.w]);
}
@else fn y2_four(i: u32, left: u32) -> vec4<f32> { return y2[i >> 2u]; }
@if(scalar) fn epilogue_four(i: u32, left: u32) -> vec4<f32> {
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(epilogue[at.x], epilogue[at.y], epilogue[at.z], epilogue[at.w]);
}
@else fn epilogue_four(i: u32, left: u32) -> vec4<f32> { return epilogue[i >> 2u]; }
