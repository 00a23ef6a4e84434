// Products whose rows have any width, in tiles in workgroup memory; lib/matmul-tiled.wgsl has it all.
// include lib/matmul-tiled.wgsl
// include lib/matmul-write-1.wgsl
