// heddle info: the GPU adapter of a host, its limits and features.

import { type AdapterDescription, describeAdapter } from '../host/adapter-info.ts';
import type { Job } from '../runtime/job.ts';

/** Describes the host's adapter. */
export const info: Job<Record<string, never>, AdapterDescription> = async (_, context) =>
  describeAdapter(await context.gpu());
