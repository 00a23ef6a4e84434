// Matrix product by tiles in workgroup memory, for GPUs: C[m,n] = Σ_k A[m,k]·B[k,n] (CUTLASS, "Efficient GEMM
// in CUDA"). 16x16 threads compute SIZE x SIZE numbers of C, in blocks of 4x4 per thread that are 64 apart,
// from tiles of A and B that are DEPTH deep.
//
// In each round a thread loads one vector of A and one of B and stages it as it is in memory, except for B of
// NT, which is transposed:
//   A [M,K]: a_rows[m, k/4]    A [K,M] (TN): a_columns[m/4, k]    B [K,N]: b_tile[n/4, k]    B [N,K] (NT): b_tile[n/4, k]
// In the variant `f16`, for operands stored as f16, the tiles are f16 too, half the bytes; sums are f32 in
// both. One running index per operand replaces address arithmetic in the loop; rows and columns past the
// edges are clamped before it. All indices of workgroup arrays have bounds that Tint proves, so they cost no
// checks (docs/gpu-compiler.md).
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
// Distances of rows in vectors; + 1 avoids bank conflicts.
const K_PITCH: u32 = DEPTH_VECS + 1u;
const PITCH: u32 = DEPTH + 1u;

// Numbers of operands in workgroup memory.
@if(f16) alias StagedNumber = f16;
@else alias StagedNumber = f32;
alias Staged = vec4<StagedNumber>;

var<workgroup> a_rows: array<Staged, SIZE * K_PITCH>;
var<workgroup> a_columns: array<Staged, VECTORS * PITCH>;
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
  let slot = thread / (4u * DEPTH_VECS) * PITCH + 4u * (thread % DEPTH_VECS); // of a vector along k in b_tile
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
      a_columns[thread % VECTORS * PITCH + thread / VECTORS] = Staged(av);
    } else {
      a_rows[thread / DEPTH_VECS * K_PITCH + thread % DEPTH_VECS] = Staged(av);
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
    for (var i = 0u; i < DEPTH_VECS; i++) {
      // Column s of a0 has the thread's rows of A at k = 4i + s.
      var a0: mat4x4<f32>;
      var a1: mat4x4<f32>;
      if (a_across) {
        let at = y * PITCH + 4u * i;
        a0 = mat4x4(to_f32(a_columns[at]), to_f32(a_columns[at + 1u]), to_f32(a_columns[at + 2u]), to_f32(a_columns[at + 3u]));
        if (SIZE > 64u) {
          let next = (y + VECTORS - SIDE) * PITCH + 4u * i;
          a1 = mat4x4(to_f32(a_columns[next]), to_f32(a_columns[next + 1u]), to_f32(a_columns[next + 2u]),
            to_f32(a_columns[next + 3u]));
        }
      } else {
        a0 = transpose(mat4x4(to_f32(a_rows[y * K_PITCH + i]), to_f32(a_rows[(y + 16u) * K_PITCH + i]),
          to_f32(a_rows[(y + 32u) * K_PITCH + i]), to_f32(a_rows[(y + 48u) * K_PITCH + i])));
        if (SIZE > 64u) {
          a1 = transpose(mat4x4(
            to_f32(a_rows[(y + SIZE - 64u) * K_PITCH + i]), to_f32(a_rows[(y + SIZE - 48u) * K_PITCH + i]),
            to_f32(a_rows[(y + SIZE - 32u) * K_PITCH + i]), to_f32(a_rows[(y + SIZE - 16u) * K_PITCH + i])));
        }
      }
      let at = x * PITCH + 4u * i;
      if (SIZE == 64u) {
        let b0 = mat4x4(to_f32(b_tile[at]), to_f32(b_tile[at + 1u]), to_f32(b_tile[at + 2u]), to_f32(b_tile[at + 3u]));
        for (var s = 0u; s < 4u; s++) { c00 += outer(a0[s], b0[s]); }
      } else {
        for (var s = 0u; s < 4u; s++) {
          let b0 = to_f32(b_tile[at + s]);
          let b1 = to_f32(b_tile[at + SIDE * PITCH + s]);
          c00 += outer(a0[s], b0);
          c01 += outer(a0[s], b1);
          c10 += outer(a1[s], b0);
          c11 += outer(a1[s], b1);
        }
      }
    }
    workgroupBarrier();
  }
  // A thread's rows are neighbours (TN) or 16 apart.
  let first_m = tile_m + select(y, 4u * y, a_across);
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
  for (var s = 0u; s < 4u; s++) { store_row(p, m + s * select(SIDE, 1u, p.form == TN), n, p.n - n, rows[s]); }
}
