// Matrix products: C[m,n] = Σ_k A[m,k]·B[k,n]. Parameters and operands, which all kernels of the family
// share. Operands are read as stored:
//   NN  A [M,K], B [K,N]      NT  A [M,K], B [N,K]      TN  A [K,M], B [K,N]
// Reads are vectors of four numbers along the contiguous axis, transposed in registers if a kernel needs the
// other axis. Indices past an edge are clamped; A is 0 beyond K.
// include shared/random.wgsl
// include shared/kernel.wgsl

struct Params {
  m: u32,
  n: u32,
  k: u32,
  lda: u32, // elements from one stored row of A to the next
  ldb: u32,
  ldc: u32, // elements from one row of C to the next; those past N are 0
  a_batch: u32, // elements from one matrix of the batch to the next
  b_batch: u32,
  first: u32, // index in the batch of the grid's z = 0
  k_total: u32, // the whole K if the batch is slices of one product (split-K), else 2^32 - 1
  dx_tiles: u32, // linear_backward: the first workgroups, which compute dx
  dw_tiles: u32, // the workgroups after them, which compute dw
  // The epilogue: parameters rather than constants, so that one pipeline serves all layers. Its code is
  // small.
  bias: u32, // 1: add `bias`
  activation: u32, // of C + bias
  epilogue: u32, // ADD: add `epilogue`; an activation: multiply by its derivative at `epilogue`; 0: neither
  accumulate: u32, // linear_backward: 1: add to the content of dw and db
  site: u32, // of the dropout of C
  threshold: u32, // 0: none
  keep_scale: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> bias: array<vec4<f32>>; // [N]; linear_backward: x, the B of dw
@group(0) @binding(8) var<uniform> step: Step;

const NN: u32 = 0u;
const NT: u32 = 1u;
const TN: u32 = 2u;
override FORM: u32 = 0u;
override A_VECTORS: bool = true; // the contiguous axis of A is a multiple of 4
override B_VECTORS: bool = true;
override K_TAIL: bool = false; // K is not a multiple of 4

// Purpose of a product, which decides the buffer of B and the epilogue of C.
const PLAIN: u32 = 0u;
const KEPT: u32 = 1u; // also store the pre-activation C + bias
const DX: u32 = 2u;
const DW: u32 = 3u;

struct Product {
  purpose: u32,
  form: u32,
  m: u32,
  n: u32,
  k: u32,
  a0: u32, // offsets of the matrices
  b0: u32,
  c0: u32,
  ldc: u32,
  key: u32, // of the dropout
}

fn plain_product(purpose: u32, z: u32) -> Product {
  let batch = params.first + z;
  return Product(purpose, FORM, params.m, params.n, min(params.k, params.k_total - batch * params.k),
    batch * params.a_batch, batch * params.b_batch, batch * params.m * params.ldc, params.ldc, key_of_dropout());
}

// dx [rows, in] = dy [rows, out] · w [out, in]; params has the sizes of this product.
fn dx_product() -> Product {
  return Product(DX, NN, params.m, params.n, params.k, 0u, 0u, 0u, params.n, key_of_dropout());
}

// dw [out, in] = dyᵀ · x, x [rows, in].
fn dw_product() -> Product {
  return Product(DW, TN, params.k, params.n, params.m, 0u, 0u, 0u, params.n, 0u);
}

fn key_of_dropout() -> u32 {
  if (params.threshold == 0u) { return 0u; }
  return dropout_key(step.seed, step.step, params.site);
}

const OFFSETS: vec4<u32> = vec4(0u, 1u, 2u, 3u);

// Four numbers of A from element i on; those past the first `left` are 0.
fn a_four(i: u32, left: u32) -> vec4<f32> {
  if (A_VECTORS) { return a[i >> 2u]; }
  let at = i + min(OFFSETS, vec4(left - 1u));
  let v = vec4(a[at.x >> 2u][at.x & 3u], a[at.y >> 2u][at.y & 3u], a[at.z >> 2u][at.z & 3u], a[at.w >> 2u][at.w & 3u]);
  return select(vec4<f32>(), v, OFFSETS < vec4(left));
}

// Four numbers of B from element i on; those past the first `left` repeat the last.
fn b_four(p: Product, i: u32, left: u32) -> vec4<f32> {
  if (p.purpose == DW) { return bias_from(i, left, B_VECTORS); }
  if (B_VECTORS) { return b[i >> 2u]; }
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(b[at.x >> 2u][at.x & 3u], b[at.y >> 2u][at.y & 3u], b[at.z >> 2u][at.z & 3u], b[at.w >> 2u][at.w & 3u]);
}

fn bias_from(i: u32, left: u32, vectors: bool) -> vec4<f32> {
  if (vectors) { return bias[i >> 2u]; }
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(bias[at.x >> 2u][at.x & 3u], bias[at.y >> 2u][at.y & 3u], bias[at.z >> 2u][at.z & 3u],
    bias[at.w >> 2u][at.w & 3u]);
}

// i, or 0 if it is past the edge: results of such an index are never stored.
fn index_or_zero(i: u32, count: u32) -> u32 {
  return select(0u, i, i < count);
}

fn clamp_k(p: Product, k: u32) -> u32 {
  if (K_TAIL) { return min(k, p.k - 1u); }
  return k;
}

// Vector s of the 4x4 block of A at row m, column k, as stored: a row (NN, NT) or a column (TN).
fn a_vec(p: Product, m: u32, k: u32, s: u32) -> vec4<f32> {
  let transposed = p.form == TN;
  let row = select(index_or_zero(m + s, p.m), clamp_k(p, k + s), transposed);
  let column = select(k, index_or_zero(m, p.m), transposed);
  let v = a_four(p.a0 + row * params.lda + column, select(p.k, p.m, transposed) - column);
  if (K_TAIL && transposed) { return select(vec4<f32>(), v, k + s < p.k); }
  return v;
}

// Vector s of the 4x4 block of B at row k, column n, as stored: a row (NN, TN) or a column (NT).
fn b_vec(p: Product, k: u32, n: u32, s: u32) -> vec4<f32> {
  let transposed = p.form == NT;
  let row = select(clamp_k(p, k + s), min(n + s, p.n - 1u), transposed);
  let column = select(n, k, transposed);
  return b_four(p, p.b0 + row * params.ldb + column, select(p.n, p.k, transposed) - column);
}

// The 4x4 block of B as rows along n: block · (four numbers of a row of A along k) is four numbers of C.
fn b_block(p: Product, k: u32, n: u32) -> mat4x4<f32> {
  return transpose_if(p.form == NT,
    mat4x4(b_vec(p, k, n, 0u), b_vec(p, k, n, 1u), b_vec(p, k, n, 2u), b_vec(p, k, n, 3u)));
}

fn transpose_if(transposed: bool, block: mat4x4<f32>) -> mat4x4<f32> {
  if (transposed) { return transpose(block); }
  return block;
}
