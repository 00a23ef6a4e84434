// Gradients of layer norm of rows of any width; lib/layer-norm-backward.wgsl has it all.
// include lib/layer-norm-backward.wgsl
// include lib/cell-1.wgsl
