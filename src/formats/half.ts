// Numbers of 16 bits as files hold them; the arithmetic is beside the ops, which keep weights so too.
export { fromBfloat16, fromFloat16, toBfloat16, toFloat16 } from '../ops/half.ts';
