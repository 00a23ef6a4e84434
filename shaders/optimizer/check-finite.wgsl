// flags[slot] = max(flags[slot], size - i) over all elements i of x that are NaN or infinite: the first such
// element decides, since a maximum of integers does not depend on the order of the threads. Whether a number
// is finite is read from the bits of its exponent: WGSL may assume that NaN and infinities do not occur.
//   check_f32  one element per word
//   check_f16  two elements per word, the first in the low bits
// A thread checks PER words.
// include shared/kernel.wgsl

struct Params {
  count: u32, // elements bound here
  words: u32, // and their words
  start: u32, // index of the first in the whole tensor
  size: u32, // elements of the whole tensor
  slot: u32,
}

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> flags: array<atomic<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 64u;
const PER: u32 = 16u;

// The words of a thread are THREADS apart: neighbouring threads read neighbouring words.
fn first_word(thread: Thread) -> u32 {
  return group_index(thread) * THREADS * PER + thread.index;
}

fn raise(flag: u32) {
  if (flag > 0u) {
    atomicMax(&flags[params.slot], flag);
  }
}

@compute @workgroup_size(THREADS)
fn check_f32(thread: Thread) {
  let first = first_word(thread);
  var flag = 0u;
  for (var i = first; i < min(first + THREADS * PER, params.words); i += THREADS) {
    if ((x[i] & 0x7f800000u) == 0x7f800000u) {
      flag = max(flag, params.size - params.start - i);
    }
  }
  raise(flag);
}

@compute @workgroup_size(THREADS)
fn check_f16(thread: Thread) {
  let first = first_word(thread);
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
