// What all kernels of matrix products share: C[m,n] = Σ_k A[m,k]·B[k,n], each operand read where it lies, as it lies:
//   NN  A [M,K], B [K,N]      NT  A [M,K], B [N,K]      TN  A [K,M], B [K,N]
// Operands are read four numbers at a time along their contiguous axis, and turned in registers where that is not the axis a
// kernel wants. Reads past an edge are moved inside; A gives zeros beyond K.
// include lib/index.wgsl
// include lib/random.wgsl
// include lib/step.wgsl

struct Params {
  m: u32,
  n: u32,
  k: u32,
  lda: u32, // numbers from one stored row of A to the next
  ldb: u32,
  a_batch: u32, // numbers from one matrix of the batch to the next
  b_batch: u32,
  first: u32, // the batch of the grid's z = 0
  k_total: u32, // K of all parts where the "batch" is parts of one K; else 2^32 - 1
  dx_tiles: u32, // linear_backward: workgroups for dx, which come first
  dw_tiles: u32, // and for dw, which come next
  // What is done to C. Data, not constants: the code for it is small beside the product's, and one pipeline serves all layers.
  bias: u32, // 1: `other` is added
  activation: u32, // taken of C + bias
  extra: u32, // 4: `extra` is added; an activation: its derivative at `extra` multiplies; 0: none
  accumulate: u32, // linear_backward: 1: dw and db are added to what is there
  site: u32, // dropout of C
  threshold: u32, // 0: none
  keep_scale: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> other: array<vec4<f32>>; // the bias [N]; linear_backward: x, the B of dw
@group(0) @binding(8) var<uniform> step: Step;

const NN: u32 = 0u;
const NT: u32 = 1u;
const TN: u32 = 2u;
override FORM: u32 = 0u;
override A_VECTORS: bool = true; // A's contiguous axis is a multiple of 4
override B_VECTORS: bool = true;
override K_TAIL: bool = false; // K is not a multiple of 4

// What a product is for: which buffer is B, and what becomes of C.
const PLAIN: u32 = 0u;
const KEPT: u32 = 1u; // also keeps what the activation is taken of
const DX: u32 = 2u;
const DW: u32 = 3u;

struct Product {
  part: u32,
  form: u32,
  m: u32,
  n: u32,
  k: u32,
  a0: u32, // where the matrices start
  b0: u32,
  c0: u32,
  key: u32, // of dropout, where there is any
}

fn plain_product(part: u32, z: u32) -> Product {
  let batch = params.first + z;
  return Product(part, FORM, params.m, params.n, min(params.k, params.k_total - batch * params.k),
    batch * params.a_batch, batch * params.b_batch, batch * params.m * params.n, key_of_dropout());
}

// dx [rows, in] = dz [rows, out] · w [out, in]; params has the sizes of this one.
fn dx_product() -> Product {
  return Product(DX, NN, params.m, params.n, params.k, 0u, 0u, 0u, key_of_dropout());
}

// dw [out, in] = dzᵀ · x, x [rows, in].
fn dw_product() -> Product {
  return Product(DW, TN, params.k, params.n, params.m, 0u, 0u, 0u, 0u);
}

fn key_of_dropout() -> u32 {
  if (params.threshold == 0u) { return 0u; }
  return dropout_key(step.seed, step.step, params.site);
}

const OFFSETS: vec4<u32> = vec4(0u, 1u, 2u, 3u);

// Four numbers of A from i on, of which `left` exist; the others are zeros.
fn a_four(i: u32, left: u32) -> vec4<f32> {
  if (A_VECTORS) { return a[i >> 2u]; }
  let at = i + min(OFFSETS, vec4(left - 1u));
  let v = vec4(a[at.x >> 2u][at.x & 3u], a[at.y >> 2u][at.y & 3u], a[at.z >> 2u][at.z & 3u], a[at.w >> 2u][at.w & 3u]);
  return select(vec4<f32>(), v, OFFSETS < vec4(left));
}

// Four numbers of B from i on, of which `left` exist; the others repeat the last.
fn b_four(p: Product, i: u32, left: u32) -> vec4<f32> {
  if (p.part == DW) { return other_four(i, left, B_VECTORS); }
  if (B_VECTORS) { return b[i >> 2u]; }
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(b[at.x >> 2u][at.x & 3u], b[at.y >> 2u][at.y & 3u], b[at.z >> 2u][at.z & 3u], b[at.w >> 2u][at.w & 3u]);
}

fn other_four(i: u32, left: u32, vectors: bool) -> vec4<f32> {
  if (vectors) { return other[i >> 2u]; }
  let at = i + min(OFFSETS, vec4(left - 1u));
  return vec4(other[at.x >> 2u][at.x & 3u], other[at.y >> 2u][at.y & 3u], other[at.z >> 2u][at.z & 3u],
    other[at.w >> 2u][at.w & 3u]);
}

// i, or 0 where it is past the edge: what is computed from it is thrown away.
fn inside(i: u32, count: u32) -> u32 {
  return select(0u, i, i < count);
}

fn k_inside(p: Product, k: u32) -> u32 {
  if (K_TAIL) { return min(k, p.k - 1u); }
  return k;
}

// One of the four vectors of A's block of 4 rows from m and 4 columns from k: NN, NT: its row s; TN: its column s.
fn a_part(p: Product, m: u32, k: u32, s: u32) -> vec4<f32> {
  let turned = p.form == TN;
  let row = select(inside(m + s, p.m), k_inside(p, k + s), turned);
  let column = select(k, inside(m, p.m), turned);
  let v = a_four(p.a0 + row * params.lda + column, select(p.k, p.m, turned) - column);
  if (K_TAIL && turned) { return select(vec4<f32>(), v, k + s < p.k); }
  return v;
}

// One of the four vectors of B's block of 4 rows from k and 4 columns from n: NN, TN: its row s; NT: its column s.
fn b_part(p: Product, k: u32, n: u32, s: u32) -> vec4<f32> {
  let turned = p.form == NT;
  let row = select(k_inside(p, k + s), min(n + s, p.n - 1u), turned);
  let column = select(n, k, turned);
  return b_four(p, p.b0 + row * params.ldb + column, select(p.n, p.k, turned) - column);
}

// B's block as rows along n, so that block · (four numbers of a row of A along k) is four numbers of C.
fn b_block(p: Product, k: u32, n: u32) -> mat4x4<f32> {
  return upright(p.form == NT,
    mat4x4(b_part(p, k, n, 0u), b_part(p, k, n, 1u), b_part(p, k, n, 2u), b_part(p, k, n, 3u)));
}

fn upright(turned: bool, block: mat4x4<f32>) -> mat4x4<f32> {
  if (turned) { return transpose(block); }
  return block;
}
