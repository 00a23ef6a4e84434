// Positions of tokens counted over those that are not padding: position_ids[b, t] = pad + (number of ids[b, 0
// .. t] that are not pad), or pad if ids[b, t] is pad. One thread per place; in decoding only that of
// step.position is computed.
// include shared/kernel.wgsl

struct Params {
  rows: u32,
  length: u32, // of a row of ids
  pad: i32,
}

@group(0) @binding(0) var<storage, read> ids: array<i32>;
@group(0) @binding(1) var<storage, read_write> position_ids: array<u32>;
@group(0) @binding(2) var<uniform> params: Params;
@group(0) @binding(3) var<uniform> step: Step;

override DECODE: bool = false;

@compute @workgroup_size(64)
fn token_positions(thread: Thread) {
  let i = group_index(thread) * 64u + thread.index;
  var row = i / params.length;
  var t = i % params.length;
  if (DECODE) {
    row = i;
    t = min(step.position, params.length - 1u);
  }
  if (row >= params.rows) {
    return;
  }
  var place = u32(params.pad);
  if (ids[row * params.length + t] != params.pad) {
    for (var k = 0u; k <= t; k++) {
      place += select(0u, 1u, ids[row * params.length + k] != params.pad);
    }
  }
  position_ids[i] = place;
}
