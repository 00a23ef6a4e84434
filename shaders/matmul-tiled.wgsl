// Products whose rows are a multiple of 4 wide, in tiles in workgroup memory; lib/matmul-tiled.wgsl has it all.
// include lib/matmul-tiled.wgsl
// include lib/matmul-write-4.wgsl
