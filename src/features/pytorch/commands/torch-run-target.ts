// heddle convert --to torch-run: the row of the target.

import type { CheckpointTarget } from '../../../commands/checkpoint-target.ts';
import { shellQuote } from '../../../core/errors.ts';

/** A folder that PyTorch continues. */
export const torchRunTarget: CheckpointTarget = {
  name: 'torch-run',
  title: 'a folder with continue.py, which continues the training with torchrun',
  job: {
    name: 'convertRun',
    saves: 'folder',
    load: async () => (await import('./convert-run.ts')).convertRun,
  },
  usage: (out) => `torchrun --nproc-per-node N ${shellQuote(`${out}/continue.py`)} ${shellQuote(out)}`,
};
