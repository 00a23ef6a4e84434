// Vector width 1: a thread reads one number at once. For rows of any width; vec4.wgsl is the same for width 4.
// include shared/random.wgsl

alias Vec = f32;
const VEC: u32 = 1u;

// The first numbers of four.
fn vec_of(v: vec4<f32>) -> Vec {
  return v.x;
}

fn vec_sum(v: Vec) -> f32 {
  return v;
}

fn vec_max(v: Vec) -> f32 {
  return v;
}

fn vec_element(v: Vec, k: u32) -> f32 {
  return v;
}

fn vec_index_of(v: Vec, x: f32) -> u32 {
  return 0u;
}

fn vec_one_hot(x: f32, c: u32, column: u32) -> Vec {
  return select(0.0, x, c == column);
}

fn vec_where(v: Vec, c: u32, seen: u32, masked: f32) -> Vec {
  return select(masked, v, c < seen);
}

fn vec_dropout(key: u32, i: u32, threshold: u32, scale: f32) -> Vec {
  return dropout_factor(key, i, threshold, scale);
}
