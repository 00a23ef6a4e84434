// Cross-entropy of rows of any width; lib/cross-entropy.wgsl has it all.
// include lib/cross-entropy.wgsl
// include lib/cell-1.wgsl
