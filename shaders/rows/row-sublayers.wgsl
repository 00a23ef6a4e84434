// Whole sublayers of a decoding step for few rows, so that a token takes few dispatches. A workgroup computes a
// row and a head, a chunk of hidden units, or a block of logits. Each begins with the end of the sublayer before:
//   s = x + bias + Σ_p parts[p]    p in order
//   y = norm(s)                    NORMS norms, one after the other
// and ends with its share of the output product, which the next sublayer adds up: out [P, R, D]. Entry points:
//   row_self_attention   q, k, v of a head, its key and value into the cache, attention, product
//   row_cross_attention  q of a head, attention to the source, product
//   row_feed_forward     activation of CHUNK hidden units, product
//   row_logits           BLOCK logits
//   row_sum              s by itself, a thread for each vector; row_partials: the shares of a product by
//                        themselves. Both are for the variant `parts`, with which the others are compared.
// include shared/kernel.wgsl
// include shared/activation-functions.wgsl
// include rows/row-inputs.wgsl
// include rows/row-attention.wgsl

// The product of y with row `at` of the input matrix, whose vectors LANES threads share; returned to lane 0. All
// threads of the workgroup must call it.
fn dot_row(at: u32, thread: u32) -> f32 {
  let lane = thread % LANES;
  let first = params.in_at + at * D4;
  var sum = vec4(0.0);
  for (var c = lane; c < D4; c += LANES) { sum += row_y[c] * matrices[first + c]; }
  shares[thread] = sum4(sum);
  workgroupBarrier();
  var total = 0.0;
  if (lane == 0u) {
    for (var i = 0u; i < LANES; i += 4u) {
      let k = thread + i;
      total += (shares[k] + shares[min(k + 1u, THREADS - 1u)]) + (shares[min(k + 2u, THREADS - 1u)] + shares[min(k + 3u, THREADS - 1u)]);
    }
    if (has(HAS_OWN_BIAS)) { total += vectors[params.own_at + (at >> 2u)][at & 3u]; }
  }
  workgroupBarrier();
  return total;
}

const WIDTH: u32 = 32u; // numbers of a head
var<workgroup> head_qkv: array<f32, 3u * WIDTH>;

// Computes `count` projections of a head: of q, or of q, k and v, whose rows in the matrix are heads · WIDTH apart.
fn project_head(h: u32, count: u32, thread: u32) {
  for (var first = 0u; first < count; first += THREADS / LANES) {
    let o = min(first + thread / LANES, count - 1u);
    let value = dot_row(o / WIDTH * params.heads * WIDTH + h * WIDTH + o % WIDTH, thread);
    if (thread % LANES == 0u && first + thread / LANES < count) { head_qkv[o] = value; }
  }
  workgroupBarrier();
}

// Stores the share of workgroup p in the output product: `count` vectors of its input, from vector `first` of a
// row of `width` vectors of the matrix on.
fn store_share(p: u32, row: u32, first: u32, count: u32, width: u32, thread: u32) {
  for (var c = thread; c < D4; c += THREADS) {
    var sums = vec4(0.0);
    for (var k = 0u; k < 4u; k++) {
      let at = params.out_at + (4u * c + k) * width + first;
      var sum = vec4(0.0);
      for (var i = 0u; i < count; i++) { sum += matrices[at + i] * inner_vector(i); }
      sums[k] = sum4(sum);
    }
    out[(p * params.rows + row) * D4 + c] = sums;
  }
}

const INNER: u32 = 32u; // numbers of the input of the output product, or of a block of logits
// Numbers, since a write to a part of a vector may write all of it.
var<workgroup> inner: array<f32, INNER>;
fn inner_vector(i: u32) -> vec4<f32> {
  let at = min(4u * i, INNER - 4u);
  return vec4(inner[at], inner[at + 1u], inner[at + 2u], inner[at + 3u]);
}

@compute @workgroup_size(THREADS)
fn row_self_attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let h = group.x;
  let row = group.y;
  load_row(row, h == 0u, thread);
  project_head(h, 3u * WIDTH, thread);
  attend_self(row, h, thread);
  store_share(h, row, h * (WIDTH / 4u), WIDTH / 4u, params.heads * (WIDTH / 4u), thread);
}

@compute @workgroup_size(THREADS)
fn row_cross_attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let h = group.x;
  let row = group.y;
  load_row(row, h == 0u, thread);
  project_head(h, WIDTH, thread);
  attend_cross(row, h, thread);
  store_share(h, row, h * (WIDTH / 4u), WIDTH / 4u, params.heads * (WIDTH / 4u), thread);
}

@compute @workgroup_size(THREADS)
fn row_feed_forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  load_row(row, group.x == 0u, thread);
  let begin = group.x * CHUNK;
  let count = min(CHUNK, params.outs - begin);
  for (var first = 0u; first < CHUNK; first += THREADS / LANES) {
    let o = first + thread / LANES;
    let value = dot_row(begin + min(o, count - 1u), thread);
    if (thread % LANES == 0u && o < count) { inner[o] = activate4(vec4(value), params.activation).x; }
  }
  workgroupBarrier();
  store_share(group.x, row, begin / 4u, count / 4u, params.outs / 4u, thread);
}

@compute @workgroup_size(THREADS)
fn row_logits(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let row = group.y;
  load_row(row, false, thread);
  for (var first = group.x * CHUNK; first < (group.x + 1u) * CHUNK; first += THREADS / LANES) {
    let o = first + thread / LANES;
    let value = dot_row(min(o, params.vocab - 1u), thread);
    if (thread % LANES == 0u) { inner[o - group.x * CHUNK] = select(0.0, value, o < params.vocab); }
  }
  workgroupBarrier();
  let c = group.x * (CHUNK / 4u) + thread;
  if (thread < CHUNK / 4u && c < params.outs / 4u) { out[row * (params.outs / 4u) + c] = inner_vector(thread); }
}

@compute @workgroup_size(64)
fn row_sum(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.rows * D4) { kept[id.x] = summed(id.x / D4, id.x % D4); }
}

// Share p of a product of x [R, outs]: its numbers CHUNK · p to CHUNK · (p + 1) - 1.
@compute @workgroup_size(64)
fn row_partials(@builtin(global_invocation_id) id: vec3<u32>) {
  let p = id.y;
  let row = id.x / D4;
  if (row >= params.rows) { return; }
  let width = params.outs / 4u;
  let count = min(CHUNK / 4u, width - p * (CHUNK / 4u));
  var sums = vec4(0.0);
  for (var k = 0u; k < 4u; k++) {
    var sum = vec4(0.0);
    for (var i = p * (CHUNK / 4u); i < p * (CHUNK / 4u) + count; i++) {
      sum += matrices[params.out_at + (4u * (id.x % D4) + k) * width + i] * x[row * width + i];
    }
    sums[k] = sum4(sum);
  }
  out[(p * params.rows + row) * D4 + id.x % D4] = sums;
}
