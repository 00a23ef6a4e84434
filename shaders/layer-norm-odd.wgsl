// Layer norm of rows of any width; lib/layer-norm.wgsl has it all.
// include lib/layer-norm.wgsl
// include lib/cell-1.wgsl
