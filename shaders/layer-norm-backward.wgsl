// Gradients of layer norm of rows whose width is a multiple of 4; lib/layer-norm-backward.wgsl has it all.
// include lib/layer-norm-backward.wgsl
// include lib/cell-4.wgsl
