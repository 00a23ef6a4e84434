// Cross-entropy of rows whose width is a multiple of 4; lib/cross-entropy.wgsl has it all.
// include lib/cross-entropy.wgsl
// include lib/cell-4.wgsl
