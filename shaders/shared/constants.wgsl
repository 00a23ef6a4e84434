// Constants that several kernels share.

const LOG2_E: f32 = 1.4426950408889634;
const LN_2: f32 = 0.6931471805599453;
// Below every score, and finite even after a multiplication by LOG2_E: the start value of a maximum. WGSL may assume
// that infinities do not occur.
const LOWEST: f32 = -1e38;
// Replaces minus infinity as the score of a masked key, token or beam. A sum of masked scores stays above LOWEST and
// below DEAD.
const MASKED: f32 = -1e30;
const DEAD: f32 = -1e29;
// Flag in a cache slot: the key is padding, and queries skip it.
const HIDDEN: u32 = 0x80000000u;
