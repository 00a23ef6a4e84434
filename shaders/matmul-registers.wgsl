// Products whose rows are a multiple of 4 wide, in registers alone; lib/matmul-threads.wgsl has it all.
// include lib/matmul-threads.wgsl
// include lib/matmul-write-4.wgsl
