// Products whose rows are a multiple of 4 wide, rows of A shared by subgroups; lib/matmul-subgroups.wgsl has it all.
enable subgroups;
// include lib/matmul-subgroups.wgsl
// include lib/matmul-write-4.wgsl
