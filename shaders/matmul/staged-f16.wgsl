// Numbers of operands in workgroup memory, as f16, for operands that are stored as f16.
// staged-f32.wgsl is the same as f32.

enable f16;

alias StagedNumber = f16;
alias Staged = vec4<f16>;
