// The gradient of the position bias in attention by tiles: backward_keys sums dS over the diagonals of its
// tiles, on each of which the distance of key and query is the same; sum_blocks adds up its workgroups.
// part of attention/attention.wgsl

@if(bias) override BIAS_GRADIENT: bool = false;

@if(pairs) fn numbers_of(x: vec2<f32>) -> Numbers { return x; }
@else fn numbers_of(x: vec2<f32>) -> Numbers { return vec4(x, 0.0, 0.0); }

// Sums of dS of a thread at the distances up to -farthest and from farthest on.
@if(bias) var<private> ends: vec2<f32>;

// The first partial sum of a block of ROWS keys: one for each distance.
@if(bias) fn part_at(b: u32, h: u32, block: u32) -> u32 {
  return ((b * params.heads + h) * ((params.keys + ROWS - 1u) / ROWS) + block) * (2u * params.farthest + 1u);
}

@if(bias) fn begin_diagonals(b: u32, h: u32, block: u32, thread: u32) {
  if (!BIAS_GRADIENT) { return; }
  let at = part_at(b, h, block);
  for (var e = 1u + thread; e < 2u * params.farthest; e += THREADS) { dbias_parts[at + e] = 0.0; }
}
@else fn begin_diagonals(b: u32, h: u32, block: u32, thread: u32) {}

// Adds the diagonals of dS in `weights`, whose first row and column have distance `corner`. A thread follows
// the diagonal that starts in row `thread` of the first column. After the last row it continues in row 0, on
// another diagonal. All threads must call it; each distance between the ends is written by one of them.
@if(bias) fn add_diagonals(b: u32, h: u32, block: u32, corner: i32, thread: u32) {
  if (!BIAS_GRADIENT) { return; }
  storageBarrier();
  if (thread >= ROWS) { return; }
  var sums = vec2(0.0);
  for (var column = 0u; column < 32u; column++) {
    let row = thread + column;
    let x = weights[column * WEIGHTS_PITCH + row % ROWS / OWN][row % OWN];
    sums += select(vec2(0.0, x), vec2(x, 0.0), row < ROWS);
  }
  let at = part_at(b, h, block);
  add_distance(at, corner + i32(thread), sums.x);
  if (thread + 31u >= ROWS) { add_distance(at, corner + i32(thread) - i32(ROWS), sums.y); }
}
@else fn add_diagonals(b: u32, h: u32, block: u32, corner: i32, thread: u32) {}

@if(bias) fn add_distance(at: u32, distance: i32, sum: f32) {
  let far = i32(params.farthest);
  if (distance <= -far) {
    ends.x += sum;
  } else if (distance >= far) {
    ends.y += sum;
  } else {
    dbias_parts[at + u32(distance + far)] += sum;
  }
}

@if(bias) fn end_diagonals(b: u32, h: u32, block: u32, thread: u32) {
  if (!BIAS_GRADIENT) { return; }
  workgroupBarrier();
  weights[min(thread, THREADS - 1u)] = numbers_of(ends);
  workgroupBarrier();
  if (thread > 0u) { return; }
  var sum = vec2(0.0);
  for (var n = 0u; n < THREADS; n++) { sum += weights[n].xy; }
  if (params.farthest == 0u) { sum.y += sum.x; }
  let at = part_at(b, h, block);
  dbias_parts[at] = sum.x;
  dbias_parts[at + 2u * params.farthest] = sum.y;
}
@else fn end_diagonals(b: u32, h: u32, block: u32, thread: u32) {}

// dbias of a distance, by a thread.
@if(bias) @compute @workgroup_size(64)
fn sum_blocks(@builtin(global_invocation_id) id: vec3<u32>) {
  let columns = 2u * params.farthest + 1u;
  if (id.x >= columns) { return; }
  var sum = 0.0;
  for (var b = 0u; b < params.batch; b++) {
    for (var at = part_at(b, id.y, 0u); at < part_at(b, id.y + 1u, 0u); at += columns) { sum += dbias_parts_in[at + id.x]; }
  }
  dbias[id.y * columns + id.x] = sum;
}
