// Errors of plans that a device has no memory for, or whose states differ. Loaded when one is thrown.

import { HeddleError } from '../../core/errors.ts';
import { byteSize, type Message, msg, option } from '../../core/message.ts';
import type { TensorType } from '../../core/tensor.ts';
import type { PlanBuffer } from '../plan/plan.ts';

const memoryError = (message: Message | string) => new HeddleError(message, { kind: 'memory' });

/** A plan exceeds a memory limit; sizes in bytes. */
export const aboveLimit = (need: number, limit: number): HeddleError =>
  memoryError(
    msg`The plan needs ${byteSize(need)} of GPU memory, the limit is ${byteSize(limit)} (${option('memoryLimit')}, ${option('memoryBudget')}, or the machine's memory); use a smaller batch, shorter sequences, a smaller model or gradient checkpointing.`,
  );

/** The device could not allocate a plan of so many bytes. */
export const outOfMemory = (need: number): HeddleError =>
  memoryError(msg`The GPU has no memory for this plan of ${byteSize(need)}; use a smaller batch or model.`);

/** A buffer of a plan exceeds the limit of the device; `peak`: bytes of the plan. */
export const bufferTooLarge = ({ name, bytes }: PlanBuffer, limit: number, peak: number): HeddleError =>
  memoryError(
    msg`The plan's buffer ${name} needs ${byteSize(bytes)}, the device allows ${byteSize(limit)} a buffer (the plan has ${byteSize(peak)} in all); use a smaller batch, shorter sequences or a smaller model.`,
  );

/** A plan has a state of another type than the engine. */
export const otherState = (name: string, known: TensorType, { dtype, shape }: TensorType): HeddleError =>
  new HeddleError(
    msg`state ${name} is ${known.dtype} [${known.shape.join(',')}], a plan requires ${dtype} [${shape.join(',')}]`,
    { area: 'engine', kind: 'input' },
  );
