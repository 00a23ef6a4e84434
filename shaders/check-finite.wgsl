// flags[slot] = max(flags[slot], size - i) over all elements i of x that are NaN or infinite, so that the first one stays: a maximum of
// integers is the same in any order. What is finite is read from the bits of the exponent, since WGSL may assume that nothing else
// occurs.
//   check_f32  an element a word
//   check_f16  two elements a word, the lower half first

struct Params {
  // Elements and words bound here, of which the first is element `start` of `size`.
  count: u32,
  words: u32,
  start: u32,
  size: u32,
  slot: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 64u;
const PER: u32 = 16u;

// The words of a thread are THREADS apart, so that neighbours read neighbours.
fn first_word(group: vec3<u32>, groups: vec3<u32>, thread: u32) -> u32 {
  return (group.y * groups.x + group.x) * THREADS * PER + thread;
}

fn raise(flag: u32) {
  if (flag > 0u) {
    atomicMax(&flags[params.slot], flag);
  }
}

@compute @workgroup_size(THREADS)
fn check_f32(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_word(group, groups, thread);
  var flag = 0u;
  for (var i = first; i < min(first + THREADS * PER, params.words); i += THREADS) {
    if ((x[i] & 0x7f800000u) == 0x7f800000u) {
      flag = max(flag, params.size - params.start - i);
    }
  }
  raise(flag);
}

@compute @workgroup_size(THREADS)
fn check_f16(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let first = first_word(group, groups, thread);
  var flag = 0u;
  for (var i = first; i < min(first + THREADS * PER, params.words); i += THREADS) {
    let word = x[i];
    if ((word & 0x7c000000u) == 0x7c000000u && 2u * i + 1u < params.count) {
      flag = max(flag, params.size - params.start - 2u * i - 1u);
    }
    if ((word & 0x7c00u) == 0x7c00u) {
      flag = max(flag, params.size - params.start - 2u * i);
    }
  }
  raise(flag);
}
