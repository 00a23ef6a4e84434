// Matrix product by tiles in workgroup memory, for GPUs: C[m,n] = Σ_k A[m,k]·B[k,n] (CUTLASS, "Efficient GEMM
// in CUDA"). 16x16 threads compute SIZE x SIZE numbers of C, in blocks of 4x4 per thread that are 64 apart,
// from tiles of A and B that are DEPTH deep.
//
// In each round a thread loads one vector of A and one of B and stages them as a_tile[m/4, k] and b_tile[n/4, k]:
// A of NN and NT and B of NT are transposed. A step of k then reads one vector of A and of B for each block, so
// that few registers are in use at once; GPUs of Intel have 64 per thread (docs/gpu-compiler.md). In the variant
// `f16`, for operands stored as f16, the tiles are f16 too, half the bytes; sums are f32 in both. One running
// index per operand replaces address arithmetic in the loop; rows and columns past the edges are clamped before
// it. All indices of workgroup arrays have bounds that Tint proves, so they cost no checks.
@if(f16) enable f16;
// include matmul/linear-backward.wgsl

const SIZE: u32 = 64u; // 64 or 128
const DEPTH: u32 = 16u; // SIZE · DEPTH = 1024: one vector per thread
const SIDE: u32 = 16u;
const THREADS_X: u32 = SIDE;
const THREADS_Y: u32 = SIDE;
const TILE_ROWS: u32 = SIZE;
const TILE_COLUMNS: u32 = SIZE;
const VECTORS: u32 = SIZE / 4u; // along m or n
const DEPTH_VECS: u32 = DEPTH / 4u; // vectors along k
// Distance of rows in vectors; + 1 avoids bank conflicts.
const PITCH: u32 = DEPTH + 1u;

// Numbers of operands in workgroup memory.
@if(f16) alias StagedNumber = f16;
@else alias StagedNumber = f32;
alias Staged = vec4<StagedNumber>;

var<workgroup> a_tile: array<Staged, VECTORS * PITCH>;
var<workgroup> b_tile: array<Staged, VECTORS * PITCH>;

fn to_f32(v: Staged) -> vec4<f32> {
  return vec4<f32>(v);
}

fn outer(column: vec4<f32>, row: vec4<f32>) -> mat4x4<f32> {
  return mat4x4(column.x * row, column.y * row, column.z * row, column.w * row);
}

// who: position of the thread in the workgroup, [column, row].
fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let x = min(who.x, SIDE - 1u); // the bounds let Tint prove indices
  let y = min(who.y, SIDE - 1u);
  let thread = y * SIDE + x;
  // Position of the thread's vector of an operand in the tile: `across` if it is along m or n, else along k.
  let a_across = p.form == TN;
  let b_across = p.form != NT;
  let across = vec2(4u * (thread % VECTORS), thread / VECTORS); // [m or n, k]
  let along = vec2(thread / DEPTH_VECS, 4u * (thread % DEPTH_VECS));
  let a_at = select(along, across, a_across);
  let b_at = select(along, across, b_across);
  let m = select(min(tile_m + a_at.x, p.m - 1u), index_or_zero(tile_m + a_at.x, p.m), a_across);
  let n = select(min(tile_n + b_at.x, p.n - 1u), index_or_zero(tile_n + b_at.x, p.n), b_across);
  // Running indices, in vectors if the operand is read so.
  var a_k = a_at.y;
  var b_k = b_at.y;
  var a_index = p.a0 + select(m * params.lda + a_k, a_k * params.lda + m, a_across);
  var b_index = p.b0 + select(n * params.ldb + b_k, b_k * params.ldb + n, b_across);
  var a_step = select(DEPTH, DEPTH * params.lda, a_across);
  var b_step = select(DEPTH, DEPTH * params.ldb, b_across);
  if (A_VECTORS) { a_index >>= 2u; a_step >>= 2u; }
  if (B_VECTORS) { b_index >>= 2u; b_step >>= 2u; }
  let slot = thread / (4u * DEPTH_VECS) * PITCH + 4u * (thread % DEPTH_VECS); // of a vector along k in a tile
  let part = thread / DEPTH_VECS % 4u;

  var c00: mat4x4<f32>;
  var c01: mat4x4<f32>;
  var c10: mat4x4<f32>;
  var c11: mat4x4<f32>;
  let rounds = (p.k + DEPTH - 1u) / DEPTH;
  for (var round = 0u; round < rounds; round++) {
    var av: vec4<f32>;
    var bv: vec4<f32>;
    if (A_VECTORS) { av = a[a_index]; } else { av = a_four(a_index, select(p.k - a_k, p.m - m, a_across)); }
    if (!B_VECTORS) {
      bv = b_four(p, b_index, select(p.k - b_k, p.n - n, b_across));
    } else if (p.purpose == DW) {
      bv = bias[b_index];
    } else {
      bv = b[b_index];
    }
    if (K_TAIL) {
      av = select(vec4<f32>(), av, a_k < p.k);
      bv = select(vec4<f32>(), bv, b_k < p.k);
      a_k += DEPTH;
      b_k += DEPTH;
    }
    a_index += a_step;
    b_index += b_step;
    if (a_across) {
      a_tile[thread % VECTORS * PITCH + thread / VECTORS] = Staged(av);
    } else {
      a_tile[slot][part] = StagedNumber(av.x);
      a_tile[slot + 1u][part] = StagedNumber(av.y);
      a_tile[slot + 2u][part] = StagedNumber(av.z);
      a_tile[slot + 3u][part] = StagedNumber(av.w);
    }
    if (b_across) {
      b_tile[thread % VECTORS * PITCH + thread / VECTORS] = Staged(bv);
    } else {
      b_tile[slot][part] = StagedNumber(bv.x);
      b_tile[slot + 1u][part] = StagedNumber(bv.y);
      b_tile[slot + 2u][part] = StagedNumber(bv.z);
      b_tile[slot + 3u][part] = StagedNumber(bv.w);
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let a0 = to_f32(a_tile[y * PITCH + k]);
      let b0 = to_f32(b_tile[x * PITCH + k]);
      c00 += outer(a0, b0);
      if (SIZE > 64u) {
        let a1 = to_f32(a_tile[(y + VECTORS - SIDE) * PITCH + k]);
        let b1 = to_f32(b_tile[(x + VECTORS - SIDE) * PITCH + k]);
        c01 += outer(a0, b1);
        c10 += outer(a1, b0);
        c11 += outer(a1, b1);
      }
    }
    workgroupBarrier();
  }
  let first_m = tile_m + 4u * y;
  let first_n = tile_n + 4u * x;
  store_rows(p, first_m, first_n, c00);
  if (SIZE > 64u) {
    store_rows(p, first_m, first_n + 64u, c01);
    store_rows(p, first_m + 64u, first_n, c10);
    store_rows(p, first_m + 64u, first_n + 64u, c11);
  }
}

fn store_rows(p: Product, m: u32, n: u32, block: mat4x4<f32>) {
  var rows = block;
  for (var s = 0u; s < 4u; s++) { store_row(p, m + s, n, p.n - n, rows[s]); }
}
