// Embedding of a table kept as f16; lib/packed-embedding.wgsl has it all.
// include lib/packed-embedding.wgsl
// include lib/packed-f16.wgsl
