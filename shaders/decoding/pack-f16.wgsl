// words[i] = two numbers of x as f16: keys and values of the source for a cache in f16. A thread packs four numbers.
// include shared/kernel.wgsl

struct Params {
  vecs: u32, // vectors of four numbers
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> words: array<vec2<u32>>;
@group(0) @binding(2) var<uniform> params: Params;

const THREADS: u32 = 256u;

@compute @workgroup_size(THREADS)
fn pack_f16(thread: Thread) {
  let i = group_index(thread) * THREADS + thread.index;
  if (i < params.vecs) {
    let v = x[i];
    words[i] = vec2(pack2x16float(v.xy), pack2x16float(v.zw));
  }
}
