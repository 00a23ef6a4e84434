// Reads for attention in which every thread reads all that it needs.

fn fetch_kv(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = vec4(start) + min(four(row), vec4(last)) * stride;
  let d = min(c + 1u, CHUNKS - 1u);
  return Pair(
    mat4x4(load_kv(at.x, c), load_kv(at.y, c), load_kv(at.z, c), load_kv(at.w, c)),
    mat4x4(load_kv(at.x, d), load_kv(at.y, d), load_kv(at.z, d), load_kv(at.w, d)),
  );
}
fn fetch_q(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = vec4(start) + min(four(row), vec4(last)) * stride;
  let d = min(c + 1u, CHUNKS - 1u);
  return Pair(
    mat4x4(load_q(at.x, c), load_q(at.y, c), load_q(at.z, c), load_q(at.w, c)),
    mat4x4(load_q(at.x, d), load_q(at.y, d), load_q(at.z, d), load_q(at.w, d)),
  );
}
fn fetch_dout(start: u32, stride: u32, row: u32, last: u32, c: u32) -> Pair {
  let at = vec4(start) + min(four(row), vec4(last)) * stride;
  let d = min(c + 1u, CHUNKS - 1u);
  return Pair(
    mat4x4(load_dout(at.x, c), load_dout(at.y, c), load_dout(at.z, c), load_dout(at.w, c)),
    mat4x4(load_dout(at.x, d), load_dout(at.y, d), load_dout(at.z, d), load_dout(at.w, d)),
  );
}
