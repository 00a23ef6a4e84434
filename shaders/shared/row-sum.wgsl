// Sums over row groups. They are trees in workgroup memory; a row group of one thread needs no barrier, which suits
// CPU adapters. In the variant `subgroups` a row group is PARTS subgroups of exactly LANES threads, at most LANES of
// them: each subgroup is reduced without a barrier, then their results.
// include shared/row-group.wgsl
@if(subgroups) enable subgroups;
// Row groups of a workgroup reach reductions together, which the analysis of WGSL cannot see.
@if(subgroups) diagnostic(off, subgroup_uniformity);

const LANES: u32 = 1u;
const PARTS = ROW_GROUP_SIZE / LANES;

// Where a subgroup puts its result, and the result that a lane reads of all of its row group. Lanes from PARTS on
// repeat others.
fn part_of(thread: u32) -> u32 { return thread / LANES; }
fn part_for(thread: u32) -> u32 { return thread / ROW_GROUP_SIZE * PARTS + thread % PARTS; }

var<workgroup> row_group_scratch: array<vec2<f32>, THREADS / LANES>;

// The sum of `value` over the row group, returned to each of its threads. The order of the sum depends only
// on ROW_GROUP_SIZE and LANES. All threads of the workgroup must call it.
@if(subgroups) fn row_group_sum(value: vec2<f32>, thread: u32) -> vec2<f32> {
  let own = subgroupAdd(value);
  if (PARTS == 1u) { return own; }
  if (thread % LANES == 0u) { row_group_scratch[part_of(thread)] = own; }
  workgroupBarrier();
  let total = subgroupAdd(select(vec2(0.0), row_group_scratch[part_for(thread)], thread % LANES < PARTS));
  workgroupBarrier();
  return total;
}
@else fn row_group_sum(value: vec2<f32>, thread: u32) -> vec2<f32> {
  if (ROW_GROUP_SIZE == 1u) { return value; }
  row_group_scratch[thread] = value;
  workgroupBarrier();
  for (var stride = ROW_GROUP_SIZE / 2u; stride > 0u; stride /= 2u) {
    if (thread % ROW_GROUP_SIZE < stride) {
      row_group_scratch[thread] += row_group_scratch[thread + stride];
    }
    workgroupBarrier();
  }
  let total = row_group_scratch[thread - thread % ROW_GROUP_SIZE];
  workgroupBarrier();
  return total;
}
