// One pass over a row by its row group: the maximum and the first vector that has it, the sum of exp(z -
// top), where top is the maximum, and the sum of z. The maximum is online: sums are rescaled when it grows
// (Milakov and Gimelshein, 2018, "Online normalizer calculation for softmax"). The including file defines `fn
// vec_at(i: u32) -> Vec` and
// includes shared/vec.wgsl.
// part of decoding/next-token.wgsl
// include shared/kernel.wgsl
// include shared/row-sum.wgsl

struct RowScan {
  largest: f32,
  first: u32, // vector
  top: f32,
  exponentials: f32,
  sum: f32,
}

var<workgroup> row_scans: array<RowScan, THREADS / LANES>;

fn merged(a: RowScan, b: RowScan) -> RowScan {
  let b_first = b.largest > a.largest || (b.largest == a.largest && b.first < a.first);
  let top = max(a.top, b.top);
  let exponentials = a.exponentials * exp(a.top - top) + b.exponentials * exp(b.top - top);
  return RowScan(max(a.largest, b.largest), select(a.first, b.first, b_first), top, exponentials, a.sum + b.sum);
}

// The scan of a thread's part of a row, every ROW_GROUP_SIZE-th vector from `begin` on. Four vectors at a
// time, so that the sum of exponentials is rescaled once per four; then the others one by one.
fn scan_share(start: u32, begin: u32, vecs: u32) -> RowScan {
  var largest = LOWEST;
  var first = begin;
  var exponentials = Vec(0.0);
  var sum = Vec(0.0);
  var c = begin;
  for (; c + 3u * ROW_GROUP_SIZE < vecs; c += 4u * ROW_GROUP_SIZE) {
    let z0 = vec_at(start + c);
    let z1 = vec_at(start + c + ROW_GROUP_SIZE);
    let z2 = vec_at(start + c + 2u * ROW_GROUP_SIZE);
    let z3 = vec_at(start + c + 3u * ROW_GROUP_SIZE);
    let before = largest;
    let tops = array(vec_max(z0), vec_max(z1), vec_max(z2), vec_max(z3));
    if (tops[0] > largest) { largest = tops[0]; first = c; }
    if (tops[1] > largest) { largest = tops[1]; first = c + ROW_GROUP_SIZE; }
    if (tops[2] > largest) { largest = tops[2]; first = c + 2u * ROW_GROUP_SIZE; }
    if (tops[3] > largest) { largest = tops[3]; first = c + 3u * ROW_GROUP_SIZE; }
    exponentials = exponentials * exp(before - largest)
      + ((exp(z0 - largest) + exp(z1 - largest)) + (exp(z2 - largest) + exp(z3 - largest)));
    sum += (z0 + z1) + (z2 + z3);
  }
  for (; c < vecs; c += ROW_GROUP_SIZE) {
    let z = vec_at(start + c);
    let before = largest;
    if (vec_max(z) > largest) { largest = vec_max(z); first = c; }
    exponentials = exponentials * exp(before - largest) + exp(z - largest);
    sum += z;
  }
  return RowScan(largest, first, largest, vec_sum(exponentials), vec_sum(sum));
}

// The scan of vector c of a row of `cols` numbers, which is partly filled.
fn scan_tail(z: Vec, c: u32, cols: u32) -> RowScan {
  let seen = vec_masked(z, c, cols, LOWEST);
  let largest = vec_max(seen);
  return RowScan(largest, c, largest, vec_sum(exp(seen - largest)), vec_sum(vec_masked(z, c, cols, 0.0)));
}

// The scan of the first `cols` numbers of row `row` of [rows, width], returned to all threads of its row
// group. All threads of the workgroup must call it.
fn scan_row(row: u32, rows: u32, cols: u32, width: u32, thread: u32) -> RowScan {
  let start = row * (width / VEC);
  let whole = cols / VEC;
  var share = scan_share(start, thread % ROW_GROUP_SIZE, select(0u, whole, row < rows));
  if (cols % VEC > 0u && row < rows && whole % ROW_GROUP_SIZE == thread % ROW_GROUP_SIZE) {
    share = merged(share, scan_tail(vec_at(start + whole), whole, cols));
  }
  return merged_shares(share, thread);
}

// The scan of what the threads of a subgroup have scanned.
@if(subgroups) fn merged_lanes(share: RowScan) -> RowScan {
  let largest = subgroupMax(share.largest);
  let first = subgroupMin(select(0xffffffffu, share.first, share.largest == largest));
  let top = subgroupMax(share.top);
  return RowScan(largest, first, top, subgroupAdd(share.exponentials * exp(share.top - top)), subgroupAdd(share.sum));
}

// The scan of a row from those of the parts of its threads. All threads of the workgroup must call it.
@if(subgroups) fn merged_shares(share: RowScan, thread: u32) -> RowScan {
  let own = merged_lanes(share);
  if (PARTS == 1u) { return own; }
  if (thread % LANES == 0u) { row_scans[part_of(thread)] = own; }
  workgroupBarrier();
  var part = row_scans[part_for(thread)];
  if (thread % LANES >= PARTS) {
    part.exponentials = 0.0;
    part.sum = 0.0;
  }
  return merged_lanes(part);
}
@else fn merged_shares(share: RowScan, thread: u32) -> RowScan {
  if (ROW_GROUP_SIZE == 1u) {
    return share;
  }
  row_scans[thread] = share;
  workgroupBarrier();
  for (var stride = ROW_GROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP_SIZE < stride) {
      row_scans[thread] = merged(row_scans[thread], row_scans[thread + stride]);
    }
    workgroupBarrier();
  }
  return row_scans[thread - thread % ROW_GROUP_SIZE];
}
