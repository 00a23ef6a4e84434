// Attention over head widths that are not multiples of 4, by tiles in workgroup memory; lib/attention-tiles.wgsl has it all.
// include lib/attention-tiles.wgsl
// include lib/attention-scalar.wgsl
