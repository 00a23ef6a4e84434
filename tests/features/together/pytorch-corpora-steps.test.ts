// torch-run of trainings whose batches are drawn again in each epoch: a folder for PyTorch has fixed batches.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { CorporaSettings } from '../../../src/features/corpora/corpora-settings.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { smallRun, toTorchRun, train } from '../pytorch/torch-run/torch-run-support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'heddle-torch-steps-'));
afterAll(() => rmSync(scratch, { recursive: true }));

it('refuses augmentation, with the name of the step', async () => {
  const out = join(scratch, 'augmented');
  const settings: CorporaSettings = { augment: ['typos=0.5'] };
  await train({ ...smallRun, ...settings, steps: 1, out });
  await expect(toTorchRun(out, join(scratch, 'torch'), { steps: 2 })).rejects.toThrow(
    errorAbout({ area: out, values: ['drawn pieces and augmentation'] }),
  );
});
