// Attention over head widths that are not multiples of 4, reads shared by subgroups; lib/attention-subgroups.wgsl has it all.
enable subgroups;
// include lib/attention-subgroups.wgsl
// include lib/attention-scalar.wgsl
