// Products whose rows have any width, in registers alone; lib/matmul-threads.wgsl has it all.
// include lib/matmul-threads.wgsl
// include lib/matmul-write-1.wgsl
