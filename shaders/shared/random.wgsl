// Counter-based random numbers: the bits depend only on counter and key, not on the order of the threads.
// Philox 2x32-10 (Salmon et al., 2011, "Parallel random numbers: as easy as 1, 2, 3") is also philox() of
// src/core/random.ts.

fn mul_high(a: u32, b: u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let mid = a1 * b0 + ((a0 * b0) >> 16u);
  let mid2 = a0 * b1 + (mid & 0xffffu);
  return a1 * b1 + (mid >> 16u) + (mid2 >> 16u);
}

fn philox(counter: vec2<u32>, key: u32) -> vec2<u32> {
  var c = counter;
  var k = key;
  for (var round = 0u; round < 10u; round++) {
    let hi = mul_high(0xd256d193u, c.x);
    let lo = 0xd256d193u * c.x;
    c = vec2(hi ^ k ^ c.y, lo);
    k += 0x9e3779b9u;
  }
  return c;
}

// Key of the dropout at `site` (the number of a dropout layer in the model) in one step.
fn dropout_key(seed: u32, step: u32, site: u32) -> u32 {
  return philox(vec2(step, site), seed).x;
}

// PCG output function on a counter (O'Neill, 2014; Jarzynski and Olano, 2020, "Hash functions for GPU
// rendering").
fn pcg(x: u32) -> u32 {
  let state = x * 747796405u + 2891336453u;
  let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
  return (word >> 22u) ^ word;
}

// Dropout factor of element i: 0 with probability `rate`, else scale = 1 / (1 - rate). threshold = floor(rate
// * 2^32).
fn dropout_factor(key: u32, i: u32, threshold: u32, scale: f32) -> f32 {
  return select(0.0, scale, pcg(pcg(i) + key) >= threshold);
}

// Dropout factors of four elements from i on, `stride` apart.
fn dropout_factors(key: u32, i: u32, stride: u32, threshold: u32, scale: f32) -> vec4<f32> {
  return vec4(
    dropout_factor(key, i, threshold, scale),
    dropout_factor(key, i + stride, threshold, scale),
    dropout_factor(key, i + 2u * stride, threshold, scale),
    dropout_factor(key, i + 3u * stride, threshold, scale),
  );
}
