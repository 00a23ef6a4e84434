// Vectors of rows. For rows whose width is a multiple of 4, a thread reads four numbers at once; in the
// variant `scalar` of a kernel one number, for rows of any width.
// include shared/random.wgsl

@if(scalar) alias Vec = f32;
@else alias Vec = vec4<f32>;
@if(scalar) const VEC: u32 = 1u;
@else const VEC: u32 = 4u;

// The first elements of a vec4 as a Vec.
@if(scalar) fn vec_of(v: vec4<f32>) -> Vec { return v.x; }
@else fn vec_of(v: vec4<f32>) -> Vec { return v; }

fn vec_sum(v: Vec) -> f32 {
  let w = vec4<f32>(v);
  if (VEC == 1u) { return w.x; }
  return (w.x + w.y) + (w.z + w.w);
}

fn vec_max(v: Vec) -> f32 {
  let w = vec4<f32>(v);
  return max(max(w.x, w.y), max(w.z, w.w));
}

fn vec_element(v: Vec, k: u32) -> f32 {
  let w = vec4<f32>(v);
  if (VEC == 1u) { return w.x; }
  return w[k];
}

// Index of the first element that equals x.
fn vec_index_of(v: Vec, x: f32) -> u32 {
  if (VEC == 1u) { return 0u; }
  let equal = vec4<f32>(v) == vec4(x);
  return select(select(select(3u, 2u, equal.z), 1u, equal.y), 0u, equal.x);
}

// Columns of vector c of a row.
fn vec_columns(c: u32) -> vec4<u32> {
  return vec4(VEC * c) + vec4(0u, 1u, 2u, 3u);
}

// Vector c of a row that is x in column `column` and 0 in all others.
fn vec_one_hot(x: f32, c: u32, column: u32) -> Vec {
  return vec_of(select(vec4(0.0), vec4(x), vec_columns(c) == vec4(column)));
}

// Vector c of a row, with `masked` in the columns from `seen` on.
fn vec_masked(v: Vec, c: u32, seen: u32, masked: f32) -> Vec {
  return vec_of(select(vec4(masked), vec4<f32>(v), vec_columns(c) < vec4(seen)));
}

// Dropout factors of vector i of a tensor.
fn vec_dropout(key: u32, i: u32, threshold: u32, scale: f32) -> Vec {
  if (VEC == 1u) { return Vec(dropout_factor(key, i, threshold, scale)); }
  return vec_of(dropout_factors(key, VEC * i, 1u, threshold, scale));
}
