// Orders of the weights of a convolution, with D outputs, C channels and K taps. One thread per number of y.
//   by_tap       y [D, K·C]: y[d, k·C + c] = x[d, c, k], the order of a window of frames
//   by_channel   y [D, C, K] of x [D, K·C], the inverse
//   transposed   y [s·C, taps·D] of x [D, K·C]: the weights with which the gradient of the input is a convolution
//                of the gradient of the output. Its outputs are s frames of C numbers, for the stride s; tap t
//                reads the gradient taps - 1 - t frames earlier.
// include shared/kernel.wgsl

struct Params {
  outs: u32, // D
  channels: u32, // C
  taps: u32, // K
  stride: u32,
  taps_out: u32, // of `transposed`
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 256u;

fn index_of(thread: Thread) -> u32 {
  return group_index(thread) * THREADS + thread.index;
}

@compute @workgroup_size(THREADS)
fn by_tap(thread: Thread) {
  let i = index_of(thread);
  let size = params.channels * params.taps;
  if (i >= params.outs * size) { return; }
  let in_row = i % size;
  let c = in_row % params.channels;
  y[i] = x[i - in_row + c * params.taps + in_row / params.channels];
}

@compute @workgroup_size(THREADS)
fn by_channel(thread: Thread) {
  let i = index_of(thread);
  let size = params.channels * params.taps;
  if (i >= params.outs * size) { return; }
  let in_row = i % size;
  let k = in_row % params.taps;
  y[i] = x[i - in_row + k * params.channels + in_row / params.taps];
}

@compute @workgroup_size(THREADS)
fn transposed(thread: Thread) {
  let i = index_of(thread);
  let width = params.taps_out * params.outs;
  if (i >= params.stride * params.channels * width) { return; }
  let row = i / width; // s·C + c
  let column = i % width; // t·D + d
  let c = row % params.channels;
  let d = column % params.outs;
  let k = params.stride * (params.taps_out - 1u - column / params.outs) + row / params.channels;
  let inside = k < params.taps;
  y[i] = select(0.0, x[(d * params.taps + select(0u, k, inside)) * params.channels + c], inside);
}
