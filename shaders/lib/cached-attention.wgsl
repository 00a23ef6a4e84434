// Attention of one query a row to the keys of its sentence, when decoding: TEAM threads share the keys of one row and head, each with
// an online softmax over its own, and then put their parts together. TEAM 1 has no barriers. The including file says load_q, load_kv,
// store_out and key_row(row, j): the row of the keys that query row `row` sees as its key j, HIDDEN added where it does not count.
// include lib/index.wgsl

struct Params {
  // Queries, and how many of them share a sentence.
  rows: u32,
  beams: u32,
  // Rows of keys that a query row (self) or a sentence (cross) has room for.
  keys: u32,
  heads: u32,
  q_stride: u32,
  scale: f32,
  // vec4s of a head: CHUNKS, but not known to the compiler, which would unroll every loop and take seconds over wide heads.
  chunks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;

// Columns of a head, and the vec4s they fill.
const WIDTH: u32 = 32u;
const CHUNKS: u32 = (WIDTH + 3u) / 4u;
// Threads of a workgroup; where a team is more than one thread, it is the workgroup.
const THREADS: u32 = 32u;
const TEAM: u32 = 1u;
const LOG2_E: f32 = 1.4426950408889634;
// Stands for minus infinity.
const MASKED: f32 = -1e30;
const HIDDEN: u32 = 0x80000000u;

// The largest score and the sum of exponentials of each thread, and its sum of values.
var<workgroup> team_scores: array<vec2<f32>, THREADS>;
var<workgroup> team_values: array<vec4<f32>, select(1u, THREADS * CHUNKS, TEAM > 1u)>;

// The row and head of a thread: x below params.rows where there is one.
fn row_and_head(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> vec2<u32> {
  let task = group_index(group, groups) * (THREADS / TEAM) + thread / TEAM;
  return vec2(task / params.heads, task % params.heads);
}

// Writes the attention of row and head to its first `length` keys. All threads of a workgroup must call it.
fn attend(row: u32, h: u32, length: u32, thread: u32) {
  let lane = thread % TEAM;
  let kv_stride = 2u * params.heads * WIDTH;
  var q: array<vec4<f32>, CHUNKS>;
  var o: array<vec4<f32>, CHUNKS>;
  var top = MASKED;
  var total = 0.0;
  if (length > 0u) {
    for (var c = 0u; c < params.chunks; c++) {
      q[c] = load_q(row * params.q_stride + h * WIDTH, c) * (params.scale * LOG2_E);
    }
  }
  for (var j = lane; j < length; j += TEAM) {
    let found = key_row(row, j);
    if (found < HIDDEN) {
      let k = found * kv_stride + h * WIDTH;
      let v = k + params.heads * WIDTH;
      var dots = vec4(0.0);
      for (var c = 0u; c < params.chunks; c++) { dots += q[c] * load_kv(k, c); }
      let score = (dots.x + dots.y) + (dots.z + dots.w);
      let m = max(top, score);
      let shrink = exp2(top - m);
      let p = exp2(score - m);
      top = m;
      total = total * shrink + p;
      for (var c = 0u; c < params.chunks; c++) { o[c] = o[c] * shrink + p * load_kv(v, c); }
    }
  }
  let to = (row * params.heads + h) * WIDTH;
  if (TEAM == 1u) {
    let scale = select(0.0, 1.0 / total, total > 0.0);
    for (var c = 0u; c < CHUNKS && row < params.rows; c++) { store_out(to, c, o[c] * scale); }
  } else {
    team_scores[thread] = vec2(top, total);
    for (var c = 0u; c < params.chunks; c++) { team_values[(thread * CHUNKS + c) % (THREADS * CHUNKS)] = o[c]; }
    workgroupBarrier();
    for (var t = 0u; t < TEAM; t++) { top = max(top, team_scores[t].x); }
    total = 0.0;
    for (var t = 0u; t < TEAM; t++) { total += team_scores[t].y * exp2(team_scores[t].x - top); }
    let scale = select(0.0, 1.0 / total, total > 0.0);
    for (var c = lane; c < CHUNKS && row < params.rows; c += TEAM) {
      var sum = vec4(0.0);
      for (var t = 0u; t < TEAM; t++) { sum += team_values[t * CHUNKS + c] * exp2(team_scores[t].x - top); }
      store_out(to, c, sum * scale);
    }
  }
}
