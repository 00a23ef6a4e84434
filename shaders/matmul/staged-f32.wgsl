// Numbers of operands in workgroup memory, as f32; staged-f16.wgsl is the same as f16.

alias StagedNumber = f32;
alias Staged = vec4<f32>;
