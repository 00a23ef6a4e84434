// Layer norm of rows whose width is a multiple of 4; lib/layer-norm.wgsl has it all.
// include lib/layer-norm.wgsl
// include lib/cell-4.wgsl
