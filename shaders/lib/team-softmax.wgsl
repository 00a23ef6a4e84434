// One reading of a row by a team of threads: its largest number and where it first stands, the sum of exp(z - largest), the sum.
// The including file says THREADS, ROWS and TEAM as for lib/team.wgsl, and `fn logit_at(i: u32) -> f32`.

struct RowScan {
  largest: f32,
  exponentials: f32,
  sum: f32,
  index: u32,
}

// Below every logit; its exponential is 0.
const LOWEST: f32 = -3.0e38;

var<workgroup> row_scans: array<RowScan, THREADS>;

fn merged(a: RowScan, b: RowScan) -> RowScan {
  let largest = max(a.largest, b.largest);
  let exponentials = a.exponentials * exp(a.largest - largest) + b.exponentials * exp(b.largest - largest);
  let b_first = b.largest > a.largest || (b.largest == a.largest && b.index < a.index);
  return RowScan(largest, exponentials, a.sum + b.sum, select(a.index, b.index, b_first));
}

// A thread's share of a row: every TEAM-th number. Eight at a time, so that the exponentials are rescaled once for the eight.
fn scan_share(start: u32, first: u32, cols: u32) -> RowScan {
  var scan = RowScan(LOWEST, 0.0, 0.0, first);
  for (var c = first; c < cols; c += 8u * TEAM) {
    var z: array<f32, 8>;
    var largest = scan.largest;
    for (var j = 0u; j < 8u; j++) {
      let column = c + j * TEAM;
      if (column < cols) {
        z[j] = logit_at(start + column);
        scan.sum += z[j];
      } else {
        z[j] = LOWEST;
      }
      if (z[j] > largest) {
        largest = z[j];
        scan.index = column;
      }
    }
    var exponentials = scan.exponentials * exp(scan.largest - largest);
    for (var j = 0u; j < 8u; j++) {
      exponentials += exp(z[j] - largest);
    }
    scan.exponentials = exponentials;
    scan.largest = largest;
  }
  return scan;
}

// The scan of row `row` of [rows, cols], to all threads of its team. All threads of the workgroup must call it.
fn scan_row(row: u32, rows: u32, cols: u32, thread: u32) -> RowScan {
  let share = scan_share(row * cols, thread % TEAM, select(0u, cols, row < rows));
  if (TEAM == 1u) {
    return share;
  }
  row_scans[thread] = share;
  workgroupBarrier();
  for (var stride = TEAM / 2u; stride > 0u; stride /= 2u) {
    if (thread % TEAM < stride) {
      row_scans[thread] = merged(row_scans[thread], row_scans[thread + stride]);
    }
    workgroupBarrier();
  }
  return row_scans[thread - thread % TEAM];
}
