// torch-run of trainings on images of lines: the files of their frames, and the losses in PyTorch.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readSafetensors } from '../../../src/files/safetensors.ts';
import type { CorpusArguments } from '../../../src/train/data/corpus-arguments.ts';
import { hasTorch } from '../../support/python.ts';
import { smallRun, threeParts, toTorchRun, train } from '../pytorch/torch-run/torch-run-support.ts';

const scratch = mkdtempSync(join(tmpdir(), 'heddle-torch-lines-'));
afterAll(() => rmSync(scratch, { recursive: true }));
const [lines, torch] = [join(scratch, 'lines'), join(scratch, 'torch')];
const { vocabSize: _, ...settings } = smallRun;

/** A tiny run on images of lines. */
const lineRun = {
  ...settings,
  corpus: { kind: 'task', task: 'read-line', pairs: 40, seed: 1 } as CorpusArguments,
  model: { dModel: 8, heads: 2, feedForward: 8, encoderLayers: 1, decoderLayers: 1 },
};

it('writes the frames of images, and the shapes of their batches', async () => {
  await train({ ...lineRun, steps: 1, out: lines });
  await toTorchRun(lines, torch, { steps: 2 });
  const plan = JSON.parse(readFileSync(join(torch, 'torch-run.json'), 'utf8'));
  expect(plan.frames).toMatchObject({ width: 256, perPosition: 1 });
  const file = readFileSync(join(torch, 'data/frames-00000.safetensors'));
  const { frames, frames_lengths: stored, frames_counts: counts, frames_fill: fill } = readSafetensors(file);
  const sizes = Array.from(stored!.data);
  expect(sizes).toEqual(Array.from(counts!.data, (n) => 256 * n));
  expect(frames!.data.length).toBe(sizes.reduce((sum, n) => sum + n, 0));
  expect(new Set(fill!.data)).toEqual(new Set([0]));
  const longest = Math.max(...plan.frames.shapes.map(([source]: [number, number]) => source));
  expect(Math.max(...counts!.data)).toBeLessThanOrEqual(longest);
});

it.runIf(hasTorch && process.env.HEDDLE_FULL)('has the losses of one run (needs python3-torch)', async () => {
  const { difference, found } = await threeParts(join(scratch, 'three'), lineRun, [6, 12, 15]);
  expect(found).toHaveLength(15);
  expect(difference).toBeLessThan(1e-4);
});
