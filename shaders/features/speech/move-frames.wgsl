// Moves the frames of each row of a batch: y[b, n] = x[b, n - first], zero where x has no such frame. Adds the
// zero frames around the input of a convolution, or removes them. One thread per number.
// include shared/kernel.wgsl

struct Params {
  count: u32, // numbers in y
  frames_in: u32, // frames of a row of x
  frames_out: u32,
  width: u32, // numbers of a frame
  first: i32, // frame of y that gets frame 0 of x
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn move_frames(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i >= params.count) { return; }
  let row = i / params.width;
  let source = i32(row % params.frames_out) - params.first;
  let inside = source >= 0 && source < i32(params.frames_in);
  let frame = (row / params.frames_out) * params.frames_in + u32(select(0, source, inside));
  y[i] = select(0.0, x[frame * params.width + i % params.width], inside);
}
