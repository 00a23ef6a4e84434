// Products of few rows, whose rows are a multiple of 4 wide; lib/matmul-dots.wgsl has it all.
// include lib/matmul-dots.wgsl
// include lib/matmul-write-4.wgsl
