// Attention by tiles in workgroup memory, for GPUs (FlashAttention, Dao et al., 2022):
//   out = dropout(softmax(scale·q·kᵀ))·v, and its gradients
// A workgroup computes 32 rows (queries, or keys in backward_keys) and iterates over the other side 32 at a time, with
// an online softmax. Its threads are 8 down and ACROSS across: a thread has 4 rows, every ACROSS-th of their 32 scores
// and every ACROSS-th chunk of their output. Scores need whole rows of both sides, staged 16 columns at a time.
// include attention/attention-base.wgsl
// include shared/chunks-vec4.wgsl | scalar: shared/chunks-scalar.wgsl | bias_scalar: shared/chunks-scalar.wgsl
// include attention/attention-chunks-vec4.wgsl | scalar: attention/attention-chunks-scalar.wgsl | bias_scalar: attention/attention-chunks-scalar.wgsl
// include attention/attention-no-bias.wgsl | bias: attention/attention-bias.wgsl | bias_scalar: attention/attention-bias.wgsl
// include attention/attention-backward.wgsl

const ACROSS: u32 = 8u;
const THREADS: u32 = 8u * ACROSS;
// Scores of a row, and chunks of its output, per thread.
const SCORES: u32 = 32u / ACROSS;
const OWN: u32 = (CHUNKS + ACROSS - 1u) / ACROSS;
// Four chunks per row, and one of padding to avoid bank conflicts.
const PITCH: u32 = 5u;

var<workgroup> a_tile: array<vec4<f32>, 32u * PITCH>;
var<workgroup> b_tile: array<vec4<f32>, 32u * PITCH>;
// [column, row / 4]: weights of the 32 columns in each row.
var<workgroup> weights: array<vec4<f32>, 256>;
var<workgroup> more_weights: array<vec4<f32>, 256>;

// Scores of a thread: score n of its row r is in column across + n·ACROSS.
alias Scores = array<array<f32, SCORES>, 4>;

// Sum or maximum of each row over the threads across, returned to all of them. All threads must call it.
fn across_sum(x: vec4<f32>, thread: u32) -> vec4<f32> {
  let parts = row_parts(x, thread);
  var sum = vec4(0.0);
  for (var t = 0u; t < ACROSS; t++) { sum += weights[parts + t]; }
  return sum;
}
fn across_max(x: vec4<f32>, thread: u32) -> vec4<f32> {
  let parts = row_parts(x, thread);
  var top = weights[parts];
  for (var t = 1u; t < ACROSS; t++) { top = max(top, weights[parts + t]); }
  return top;
}
fn row_parts(x: vec4<f32>, thread: u32) -> u32 {
  workgroupBarrier();
  weights[thread] = x;
  workgroupBarrier();
  return thread / ACROSS * ACROSS;
}

// s += the products of the staged rows of a and of b.
fn add_products(s: ptr<function, Scores>, thread: u32) {
  workgroupBarrier();
  let down = thread / ACROSS * 4u;
  // Four rounds, with a bound that compilers do not know, so that they do not unroll the long body.
  for (var c = 0u; c < min(4u, params.padded + 2u); c++) {
    // unroll
    for (var n = 0u; n < SCORES; n++) {
      let b = b_tile[(thread % ACROSS + n * ACROSS) * PITCH + c];
      // unroll
      for (var r = 0u; r < 4u; r++) { (*s)[r][n] += dot(a_tile[(down + r) * PITCH + c], b); }
    }
  }
  workgroupBarrier();
}

// Stages chunks c to c + 3 of 32 rows from `row` on. Rows past `last` repeat it; chunks past the head are 0.
fn stage_queries(b: u32, h: u32, row: u32, c: u32, thread: u32) {
  for (var n = thread; n < 128u; n += THREADS) {
    let d = c + n % 4u;
    a_tile[n / 4u * PITCH + n % 4u] = load_query(q_at(b, min(row + n / 4u, params.queries - 1u), h), min(d, CHUNKS - 1u)) * inside(d);
  }
}
fn stage_keys(b: u32, h: u32, row: u32, last: u32, c: u32, thread: u32) {
  for (var n = thread; n < 128u; n += THREADS) {
    let d = c + n % 4u;
    b_tile[n / 4u * PITCH + n % 4u] = load_kv(k_at(b, min(row + n / 4u, last), h), min(d, CHUNKS - 1u)) * inside(d);
  }
}
fn inside(c: u32) -> f32 { return select(0.0, 1.0, c < CHUNKS); }

// Adds to s the scores of the queries from `i` on and the keys from `j` on. All threads must call it.
fn scores(s: ptr<function, Scores>, b: u32, h: u32, i: u32, j: u32, last: u32, thread: u32) {
  for (var c = 0u; c < CHUNKS; c += 4u) {
    stage_queries(b, h, i, c, thread);
    stage_keys(b, h, j, last, c, thread);
    add_products(s, thread);
  }
}

@compute @workgroup_size(THREADS)
fn forward(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let b = group.z;
  let h = group.y;
  let first = group.x * 32u;
  let length = length_of(b);
  let end = seen_by(first + 31u, length);
  let last = max(end, 1u) - 1u;
  let key = dropout_key(step.seed, step.step, params.site);
  let down = thread / ACROSS;
  let across = thread % ACROSS;
  let rows = four(first + down * 4u);
  var o: array<array<vec4<f32>, OWN>, 4>;
  var top = vec4(MASKED);
  var total = vec4(0.0);
  for (var j = 0u; j < end; j += 32u) {
    var s = Scores();
    scores(&s, b, h, first, j, last, thread);
    var m = top;
    // unroll
    for (var n = 0u; n < SCORES; n++) {
      let column = j + across + n * ACROSS;
      let scaled = vec4(s[0][n], s[1][n], s[2][n], s[3][n]) * (params.scale * LOG2_E);
      let score = biased(scaled, h, rows, vec4(column));
      // unroll
      for (var r = 0u; r < 4u; r++) {
        s[r][n] = select(MASKED, score[r], column < seen_by(rows[r], length));
        m[r] = max(m[r], s[r][n]);
      }
    }
    m = across_max(m, thread);
    workgroupBarrier();
    let shrink = exp2(top - m);
    top = m;
    total *= shrink;
    // unroll
    for (var n = 0u; n < SCORES; n++) {
      let scores_of_rows = vec4(s[0][n], s[1][n], s[2][n], s[3][n]);
      var p = select(vec4(0.0), exp2(scores_of_rows - m), scores_of_rows > vec4(MASKED));
      total += p;
      let column = across + n * ACROSS;
      if (DROPOUT) { p *= factors(key, row_at(b, rows.x, h) * params.keys + j + column, params.keys); }
      weights[column * 8u + down] = p;
    }
    workgroupBarrier();
    // unroll
    for (var m = 0u; m < OWN; m++) {
      // unroll
      for (var r = 0u; r < 4u; r++) { o[r][m] *= shrink[r]; }
    }
    for (var n = 0u; n < min(32u, end - j); n++) {
      let p = weights[n * 8u + down];
      let v_from = v_at(b, j + n, h);
      // unroll
      for (var m = 0u; m < OWN; m++) {
        let v = load_kv(v_from, min(across + m * ACROSS, CHUNKS - 1u));
        // unroll
        for (var r = 0u; r < 4u; r++) { o[r][m] += p[r] * v; }
      }
    }
  }
  total = across_sum(total, thread);
  // unroll
  for (var r = 0u; r < 4u; r++) {
    let i = rows[r];
    if (i < params.queries) {
      let any = end > 0u;
      let scale = select(0.0, 1.0 / total[r], any);
      let at = out_at(b, i, h);
      // unroll
      for (var m = 0u; m < OWN; m++) {
        if (across + m * ACROSS < CHUNKS) { store_out(at, across + m * ACROSS, o[r][m] * scale); }
      }
      if (across == 0u) { lse[row_at(b, i, h)] = select(0.0, (top[r] + log2(total[r])) * LN_2, any); }
    }
  }
}
