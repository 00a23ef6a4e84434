// The table of guests: which settings, folders, files or sources need which guest. Its rows load a guest when it is
// needed; a bundler splits the code along them. The entries, the command and the pages hand the table to the session.

import type { Features } from '../session/feature-table.ts';

/** All guests. */
export const features: Features = {};
