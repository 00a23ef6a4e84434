// heddle conformance: checks that heddle computes correctly on this engine and adapter, and measures the cost of a
// submission.

import { type ConformanceArguments, type ConformanceReport, checkConformance } from '../bench/conformance-check.ts';
import type { Job } from '../runtime/job.ts';

/** Checks each kernel, 20 updates and the recovery of a lost device, and measures readback and dispatches. */
export const conformance: Job<ConformanceArguments, ConformanceReport> = checkConformance;
