// Linear layers with weights kept as f16; lib/packed-linear.wgsl has it all.
// include lib/packed-linear.wgsl
// include lib/packed-f16.wgsl
