// Vector width 4: a thread reads four numbers at once. For rows whose width is a multiple of 4; scalar.wgsl is the same
// for width 1.
// include shared/random.wgsl

alias Vec = vec4<f32>;
const VEC: u32 = 4u;

// The first numbers of four.
fn vec_of(v: vec4<f32>) -> Vec {
  return v;
}

fn vec_sum(v: Vec) -> f32 {
  return (v.x + v.y) + (v.z + v.w);
}

fn vec_max(v: Vec) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn vec_element(v: Vec, k: u32) -> f32 {
  return v[k];
}

// Index of the first element that equals x.
fn vec_index_of(v: Vec, x: f32) -> u32 {
  return select(select(select(3u, 2u, v.z == x), 1u, v.y == x), 0u, v.x == x);
}

// Vector c of a row that is x in column `column` and 0 in all others.
fn vec_one_hot(x: f32, c: u32, column: u32) -> Vec {
  return select(Vec(0.0), Vec(x), vec4(4u * c) + vec4(0u, 1u, 2u, 3u) == vec4(column));
}

// Vector c of a row, with `masked` in the columns from `seen` on.
fn vec_where(v: Vec, c: u32, seen: u32, masked: f32) -> Vec {
  return select(Vec(masked), v, vec4(4u * c) + vec4(0u, 1u, 2u, 3u) < vec4(seen));
}

// Dropout factors of vector i of a tensor.
fn vec_dropout(key: u32, i: u32, threshold: u32, scale: f32) -> Vec {
  return Vec(
    dropout_factor(key, 4u * i, threshold, scale),
    dropout_factor(key, 4u * i + 1u, threshold, scale),
    dropout_factor(key, 4u * i + 2u, threshold, scale),
    dropout_factor(key, 4u * i + 3u, threshold, scale),
  );
}
