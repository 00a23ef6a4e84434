// Embedding of rows of any width; lib/embedding.wgsl has it all.
// include lib/embedding.wgsl
// include lib/cell-1.wgsl
