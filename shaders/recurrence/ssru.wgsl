// SSRU, the simpler simple recurrent unit (Kim et al., 2019, "From Research to Production and Back"; Marian): a
// scan over time in place of self-attention. A row of x holds z and then f, the products of the layer's
// input, D numbers each. With g = sigmoid(f + bias):
//   c[t] = g[t] c[t-1] + (1 - g[t]) z[t], c[-1] = 0;  y[t] = relu(c[t])
// One thread per vector of channels of a row of the batch. Each is the only one that reads and writes its
// channels, so all sums have a fixed order. Entry points:
//   ssru           y [B, T, D]
//   ssru_backward  dx [B, T, 2D], and `partials` [B, D]: the sum over time of the gradient of f, that of the
//                  bias in a row of the batch. It computes c again, and keeps it in the half of dx that is
//                  that of z until the scan backwards in time replaces it
//   ssru_step      one step of decoding, R rows with T = 1, in sentences of `beams` rows. c is in `state`
//                  [R, 2, D]: a step at an even position reads the second half of the row that it continues,
//                  and writes the first of its own; at an odd one the reverse. So beams change rows without
//                  a copy
// include shared/kernel.wgsl
// include shared/vec.wgsl

struct Params {
  rows: u32,
  length: u32,
  vecs: u32, // D / VEC
  beams: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Vec>;
@group(0) @binding(1) var<storage, read> bias: array<Vec>;
@group(0) @binding(2) var<storage, read> dy: array<Vec>;
@group(0) @binding(3) var<storage, read> parents: array<i32>;
@group(0) @binding(4) var<storage, read_write> y: array<Vec>;
@group(0) @binding(5) var<storage, read_write> dx: array<Vec>;
@group(0) @binding(6) var<storage, read_write> partials: array<Vec>;
@group(0) @binding(7) var<storage, read_write> state: array<Vec>;
@group(0) @binding(8) var<uniform> params: Params;
@group(0) @binding(9) var<uniform> step: Step;

const THREADS: u32 = 64u;
// Positions whose loads do not wait for one another.
const AHEAD: u32 = 4u;

// exp(80) is finite in float32.
fn sigmoid(v: Vec) -> Vec {
  return Vec(1.0) / (Vec(1.0) + exp(-max(v, Vec(-80.0))));
}

// c after a position with the gate g.
fn next_state(c: Vec, g: Vec, z: Vec) -> Vec {
  return g * c + (Vec(1.0) - g) * z;
}

// The index of z of the first position of a thread's channels in x.
fn first_of(row: u32, channel: u32) -> u32 {
  return row * params.length * 2u * params.vecs + channel;
}

@compute @workgroup_size(THREADS)
fn ssru(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i >= params.rows * params.vecs) { return; }
  let row = i / params.vecs;
  let channel = i % params.vecs;
  let b = bias[channel];
  var at = first_of(row, channel);
  var to = row * params.length * params.vecs + channel;
  var c = Vec(0.0);
  for (var t = 0u; t + AHEAD <= params.length; t += AHEAD) {
    var z: array<Vec, AHEAD>;
    var g: array<Vec, AHEAD>;
    // unroll
    for (var k = 0u; k < AHEAD; k++) {
      z[k] = x[at + k * 2u * params.vecs];
      g[k] = sigmoid(x[at + k * 2u * params.vecs + params.vecs] + b);
    }
    // unroll
    for (var k = 0u; k < AHEAD; k++) {
      c = next_state(c, g[k], z[k]);
      y[to + k * params.vecs] = max(c, Vec(0.0));
    }
    at += AHEAD * 2u * params.vecs;
    to += AHEAD * params.vecs;
  }
  for (var t = params.length - params.length % AHEAD; t < params.length; t++) {
    c = next_state(c, sigmoid(x[at + params.vecs] + b), x[at]);
    y[to] = max(c, Vec(0.0));
    at += 2u * params.vecs;
    to += params.vecs;
  }
}

@compute @workgroup_size(THREADS)
fn ssru_backward(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i >= params.rows * params.vecs) { return; }
  let row = i / params.vecs;
  let channel = i % params.vecs;
  let b = bias[channel];
  let stride = 2u * params.vecs;
  let first = first_of(row, channel);
  var c = Vec(0.0);
  for (var t = 0u; t < params.length; t++) {
    let at = first + t * stride;
    let g = sigmoid(x[at + params.vecs] + b);
    c = next_state(c, g, x[at]);
    dx[at] = c;
    dx[at + params.vecs] = g;
  }
  var sum = Vec(0.0);
  var carried = Vec(0.0); // gradient of c[t] from the positions after t
  for (var k = params.length; k > 0u; k--) {
    let t = k - 1u;
    let at = first + t * stride;
    let own = dy[(row * params.length + t) * params.vecs + channel];
    let dc = carried + select(Vec(0.0), own, dx[at] > Vec(0.0));
    var before = Vec(0.0);
    if (t > 0u) { before = dx[at - stride]; }
    let g = dx[at + params.vecs];
    let df = dc * (before - x[at]) * g * (Vec(1.0) - g);
    dx[at] = dc * (Vec(1.0) - g);
    dx[at + params.vecs] = df;
    sum += df;
    carried = dc * g;
  }
  partials[i] = sum;
}

@compute @workgroup_size(THREADS)
fn ssru_step(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i >= params.rows * params.vecs) { return; }
  let row = i / params.vecs;
  let channel = i % params.vecs;
  let half = step.position % 2u;
  var before = Vec(0.0);
  if (step.position > 0u) {
    let parent = row - row % params.beams + u32(parents[row]);
    before = state[(2u * parent + 1u - half) * params.vecs + channel];
  }
  let at = 2u * row * params.vecs + channel;
  let c = next_state(before, sigmoid(x[at + params.vecs] + bias[channel]), x[at]);
  state[(2u * row + half) * params.vecs + channel] = c;
  y[i] = max(c, Vec(0.0));
}
