// Naive matrix product: C[m,n] = Σ_k A[m,k]·B[k,n], one thread per element of C, operands read one number at a time.
// Other kernels of the family:
//   matmul-tiled       tiles in workgroup memory; the fastest on GPUs
//   matmul-matrix      the same by subgroup matrices, the matrix units of GPUs
//   matmul-registers   register tiling only, for devices on which barriers are slow
//   matmul-subgroups   the same with rows of A shared by subgroup broadcasts; the fastest on software adapters
//   matmul-dots        few rows of C; the threads of a workgroup share K
//   matmul-combine     the second pass of split-K
// include matmul/matmul-grid.wgsl
// include matmul/matmul-output-scalar.wgsl

const SIDE: u32 = 8u;
const THREADS: u32 = SIDE * SIDE;
const TILE_ROWS: u32 = SIDE;
const TILE_COLUMNS: u32 = SIDE;

fn tile(p: Product, tile_m: u32, tile_n: u32, who: vec2<u32>) {
  let m = tile_m + who.y;
  let n = tile_n + who.x;
  if (m >= p.m || n >= p.n) { return; }
  var sum = 0.0;
  for (var k = 0u; k < p.k; k++) { sum += a_element(p, m, k) * b_element(p, k, n); }
  store_row(p, m, n, 1u, vec4(sum));
}

fn a_element(p: Product, m: u32, k: u32) -> f32 {
  let i = p.a0 + select(m * params.lda + k, k * params.lda + m, p.form == TN);
  return a[i >> 2u][i & 3u];
}

fn b_element(p: Product, k: u32, n: u32) -> f32 {
  let i = p.b0 + select(k * params.ldb + n, n * params.ldb + k, p.form == NT);
  if (p.purpose == DW) { return bias[i >> 2u][i & 3u]; }
  return b[i >> 2u][i & 3u];
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(PLAIN, group, who.xy);
}

@compute @workgroup_size(SIDE, SIDE)
fn matmul_kept(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_id) who: vec3<u32>) {
  plain_tile(KEPT, group, who.xy);
}

@compute @workgroup_size(SIDE, SIDE)
fn linear_backward(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_id) who: vec3<u32>,
) {
  backward_tile(group, groups, who.y * SIDE + who.x, who.xy);
}
