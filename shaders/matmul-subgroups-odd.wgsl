// Products whose rows have any width, rows of A shared by subgroups; lib/matmul-subgroups.wgsl has it all.
enable subgroups;
// include lib/matmul-subgroups.wgsl
// include lib/matmul-write-1.wgsl
