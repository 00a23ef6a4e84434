// The table of what guests add to the bench: a row for each guest.

import { decodeWithTransformers } from '../features/onnx/bench/transformers-decoding.ts';
import { framesFamilies, framesKernels } from '../features/speech/bench/frames-families.ts';
import type { DecodingTask, MeasuredDecoding, RandomModel } from './device-decoding.ts';
import type { KernelFamily } from './kernel-family.ts';
import type { KernelList, KernelSizes } from './kernel-sizes.ts';
import type { TransformersLibrary } from './peer-library.ts';

/** What a guest adds to the bench. */
interface GuestBench {
  /** Families of kernels by name. */
  readonly families?: Readonly<Record<string, KernelFamily>>;
  /** The kernels of a report. */
  kernels?(sizes: KernelSizes): readonly KernelList[];
  /** Decodes tasks with transformers.js, for the report of a device. */
  readonly decodeWithTransformers?: (
    library: TransformersLibrary,
    model: RandomModel,
    tasks: readonly { readonly task: DecodingTask; readonly expected: MeasuredDecoding['ids'] }[],
  ) => Promise<MeasuredDecoding[]>;
}

const speech: GuestBench = { families: framesFamilies, kernels: framesKernels };

const onnx: GuestBench = { decodeWithTransformers };

/** All guests. */
export const guestBenches: readonly GuestBench[] = [speech, onnx];
