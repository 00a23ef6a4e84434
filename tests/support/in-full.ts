// Tests that only `npm run test:full` runs.
import { it } from 'vitest';

/** A test that `npm run test:full` runs; `npm test` lists it as skipped. */
export const itInFull = it.skipIf(!import.meta.env.HEDDLE_FULL);
