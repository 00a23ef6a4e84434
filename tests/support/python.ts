// Python with PyTorch, for tests that compare with it.
import { spawnSync } from 'node:child_process';

/** Debian's Python, or the one that HEDDLE_PYTHON names. */
export const python = process.env.HEDDLE_PYTHON ?? '/usr/bin/python3';

/** Whether Debian's python3-torch is installed. */
export const hasTorch = spawnSync(python, ['-c', 'import torch'], { stdio: 'ignore' }).status === 0;
