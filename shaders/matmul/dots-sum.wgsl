// The sums of a product with few rows: ROWS x COLUMNS numbers by THREADS threads; LANES of them share K and four
// columns. In the variant `subgroups` they are one subgroup.
@if(subgroups) enable subgroups;
// All threads of a workgroup add up together, which the analysis of WGSL cannot see.
@if(subgroups) diagnostic(off, subgroup_uniformity);

const ROWS: u32 = 4u; // 1, 2, 4, 8 or 16
const COLUMNS: u32 = 16u;
const LANES: u32 = 16u;
const THREADS: u32 = 64u;

// The thread that stores row r of four columns, and the first of these columns.
@if(subgroups) fn stores_dots(thread: u32) -> bool { return thread % LANES < 4u; }
@else fn stores_dots(thread: u32) -> bool { return thread < LANES; }
@if(subgroups) fn column_of_dots(thread: u32) -> u32 { return thread / LANES * 4u; }
@else fn column_of_dots(thread: u32) -> u32 { return thread / 4u * 4u; }

var<workgroup> shares: array<array<vec4<f32>, 4>, THREADS>;
var<workgroup> quarters: array<vec4<f32>, THREADS>;

// Adds up the shares of the threads, each four rows of its four columns. Returns row thread % 4 to the threads of
// `stores_dots`. All threads of the workgroup must call it.
@if(subgroups) fn dots_sum(share: array<vec4<f32>, 4>, thread: u32) -> vec4<f32> {
  var total = subgroupAdd(share[0]);
  if (ROWS > 1u) { total = select(total, subgroupAdd(share[1]), thread % 4u == 1u); }
  if (ROWS > 2u) { total = select(total, subgroupAdd(share[2]), thread % 4u == 2u); }
  if (ROWS > 3u) { total = select(total, subgroupAdd(share[3]), thread % 4u == 3u); }
  return total;
}
@else fn dots_sum(share: array<vec4<f32>, 4>, thread: u32) -> vec4<f32> {
  shares[thread] = share;
  workgroupBarrier();
  // Thread 16q + 4c + r adds the shares of a quarter of the lanes.
  let first = thread % LANES / 4u * LANES + thread / LANES * 4u;
  let row = thread % 4u;
  quarters[thread] = (shares[first][row] + shares[first + 1u][row]) + (shares[first + 2u][row] + shares[first + 3u][row]);
  workgroupBarrier();
  let at = thread % LANES;
  return (quarters[at] + quarters[LANES + at]) + (quarters[2u * LANES + at] + quarters[3u * LANES + at]);
}
