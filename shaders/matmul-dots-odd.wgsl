// Products of few rows, whose rows have any width; lib/matmul-dots.wgsl has it all.
// include lib/matmul-dots.wgsl
// include lib/matmul-write-1.wgsl
