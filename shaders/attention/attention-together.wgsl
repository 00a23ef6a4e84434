// The entry points that compute all gradients of attention in one dispatch. Two things differ from the kernels with two
// dispatches: the buffer of the gradients, and the source of the row dots.
// part of attention/attention.wgsl

@compute @workgroup_size(THREADS)
fn backward_self(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let blocks = (params.queries + ROWS - 1u) / ROWS;
  if (group.x < blocks) { queries_self(group, thread); } else { keys_one(group - vec3(blocks, 0u, 0u), thread); }
}

@if(bias) const CROSS: bool = false;
@else @compute @workgroup_size(THREADS)
fn backward_cross(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let blocks = (params.queries + ROWS - 1u) / ROWS;
  if (group.x < blocks) { queries_cross(group, thread); } else { keys_one(group - vec3(blocks, 0u, 0u), thread); }
}

// Where the gradient of queries goes: dq and, in two dispatches, also the row dots; in one dispatch of self-attention
// dkv, since a buffer is written through one binding.
fn store_two(at: u32, c: u32, x: vec4<f32>) { store_dq(at, c, x); }
fn store_self(at: u32, c: u32, x: vec4<f32>) { store_dkv(at, c, x); }
fn store_cross(at: u32, c: u32, x: vec4<f32>) { store_dq(at, c, x); }
fn keep_two(at: u32, x: f32) { row_dots[at] = x; }
fn keep_self(at: u32, x: f32) {}
fn keep_cross(at: u32, x: f32) {}

// The row dots of a thread's columns of a tile of queries, for `one` dispatch. All threads must call it.
alias Dots = array<f32, SCORES>;
const DOT_PARTS: u32 = THREADS / 32u;
fn tile_dots_two(b: u32, h: u32, i: u32, thread: u32) -> Dots { return Dots(); }
fn tile_dots_one(b: u32, h: u32, i: u32, thread: u32) -> Dots {
  let t = min(thread, THREADS - 1u);
  let at = out_at(b, clamp_row(i + t / DOT_PARTS, params.queries), h);
  var part = 0.0;
  for (var c = t % DOT_PARTS; c < CHUNKS; c += DOT_PARTS) { part += dot(load_dout(at, c), load_out(at, c)); }
  workgroupBarrier(); // the diagonals of the tile before are read
  weights[t] = Numbers(part);
  workgroupBarrier();
  var sums: Dots;
  for (var n = 0u; n < SCORES; n++) {
    let first = (t % ACROSS + n * ACROSS) * DOT_PARTS;
    for (var p = 0u; p < DOT_PARTS; p++) { sums[n] += weights[first + p].x; }
  }
  workgroupBarrier();
  return sums;
}
fn row_dot_two(dots: Dots, n: u32, at: u32) -> f32 { return row_dots_in[at]; }
fn row_dot_one(dots: Dots, n: u32, at: u32) -> f32 { return dots[n]; }
