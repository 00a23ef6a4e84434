// One pass over a row by its row group: the maximum and its first index, the sum of exp(z - maximum) and the sum of z.
// The maximum is online: sums are rescaled when it grows (Milakov and Gimelshein, 2018, "Online normalizer calculation
// for softmax"). The including file defines  fn vec_at(i: u32) -> Vec  and a vector width.
// include shared/constants.wgsl
// include shared/row-group.wgsl

struct RowScan {
  largest: f32,
  exponentials: f32,
  sum: f32,
  index: u32,
}

var<workgroup> row_scans: array<RowScan, THREADS>;

fn merged(a: RowScan, b: RowScan) -> RowScan {
  let largest = max(a.largest, b.largest);
  let exponentials = a.exponentials * exp(a.largest - largest) + b.exponentials * exp(b.largest - largest);
  let b_first = b.largest > a.largest || (b.largest == a.largest && b.index < a.index);
  return RowScan(largest, exponentials, a.sum + b.sum, select(a.index, b.index, b_first));
}

// The scan of a thread's part of a row, every ROW_GROUP-th vector. Four vectors at a time: the sum of exponentials is
// rescaled once per four.
fn scan_share(start: u32, first: u32, vecs: u32) -> RowScan {
  var largest = LOWEST;
  var index = VEC * first;
  var exponentials = Vec(0.0);
  var sum = Vec(0.0);
  for (var c = first; c < vecs; c += 4u * ROW_GROUP) {
    var z: array<Vec, 4>;
    let before = largest;
    for (var j = 0u; j < 4u; j++) {
      z[j] = Vec(LOWEST);
      if (c + j * ROW_GROUP < vecs) {
        z[j] = vec_at(start + c + j * ROW_GROUP);
        sum += z[j];
      }
      let top = vec_max(z[j]);
      if (top > largest) {
        largest = top;
        index = VEC * (c + j * ROW_GROUP) + vec_index_of(z[j], top);
      }
    }
    exponentials *= exp(before - largest);
    for (var j = 0u; j < 4u; j++) {
      exponentials += exp(z[j] - largest);
    }
  }
  return RowScan(largest, vec_sum(exponentials), vec_sum(sum), index);
}

// The scan of row `row` of [rows, cols], returned to all threads of its row group. All threads of the workgroup must
// call it.
fn scan_row(row: u32, rows: u32, cols: u32, thread: u32) -> RowScan {
  let vecs = cols / VEC;
  let share = scan_share(row * vecs, thread % ROW_GROUP, select(0u, vecs, row < rows));
  if (ROW_GROUP == 1u) {
    return share;
  }
  row_scans[thread] = share;
  workgroupBarrier();
  for (var stride = ROW_GROUP / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP < stride) {
      row_scans[thread] = merged(row_scans[thread], row_scans[thread + stride]);
    }
    workgroupBarrier();
  }
  return row_scans[thread - thread % ROW_GROUP];
}
