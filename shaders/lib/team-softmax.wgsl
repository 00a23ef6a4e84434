// One reading of a row by a team of threads: its largest number and where it first stands, the sum of exp(z - largest), the sum.
// The including file says THREADS, ROWS and TEAM as for lib/team.wgsl, Cell by lib/cell-4.wgsl or lib/cell-1.wgsl, and
// `fn cell_at(i: u32) -> Cell`.

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

// A thread's share of a row: every TEAM-th cell. Four cells at a time, so that the exponentials are rescaled once for the four.
fn scan_share(start: u32, first: u32, cells: u32) -> RowScan {
  var largest = LOWEST;
  var index = CELL * first;
  var exponentials = Cell(0.0);
  var sum = Cell(0.0);
  for (var c = first; c < cells; c += 4u * TEAM) {
    var z: array<Cell, 4>;
    let before = largest;
    for (var j = 0u; j < 4u; j++) {
      z[j] = Cell(LOWEST);
      if (c + j * TEAM < cells) {
        z[j] = cell_at(start + c + j * TEAM);
        sum += z[j];
      }
      let top = cell_max(z[j]);
      if (top > largest) {
        largest = top;
        index = CELL * (c + j * TEAM) + cell_first(z[j], top);
      }
    }
    exponentials *= exp(before - largest);
    for (var j = 0u; j < 4u; j++) {
      exponentials += exp(z[j] - largest);
    }
  }
  return RowScan(largest, cell_sum(exponentials), cell_sum(sum), index);
}

// The scan of row `row` of [rows, cols], to all threads of its team. All threads of the workgroup must call it.
fn scan_row(row: u32, rows: u32, cols: u32, thread: u32) -> RowScan {
  let cells = cols / CELL;
  let share = scan_share(row * cells, thread % TEAM, select(0u, cells, row < rows));
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
