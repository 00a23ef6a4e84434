// Linear layers with weights kept as int8 and a scale a row; lib/packed-linear.wgsl has it all.
// include lib/packed-linear.wgsl
// include lib/packed-int8.wgsl
