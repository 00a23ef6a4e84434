// Embedding of rows whose width is a multiple of 4; lib/embedding.wgsl has it all.
// include lib/embedding.wgsl
// include lib/cell-4.wgsl
