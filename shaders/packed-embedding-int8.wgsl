// Embedding of a table kept as int8 with a scale a row; lib/packed-embedding.wgsl has it all.
// include lib/packed-embedding.wgsl
// include lib/packed-int8.wgsl
