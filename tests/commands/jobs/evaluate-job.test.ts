// heddle score and heddle average on small models: the results agree with decoding, evaluation and plain
// means.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { loadModelFolder } from '../../../src/formats/model-folder.ts';
import { saveModelFolder } from '../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { letterModel } from '../../support/saved-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-score-'));
const at = (name: string) => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cpu = { host: 'cpu' } as const;

it('scores a translation as the decoder that made it, and pairs as their evaluation', async () => {
  await saveModelFolder(nodeFiles(), at('model'), letterModel());
  const texts = ['bad cab', 'ace', 'dead'];
  const found = await runJob(
    jobs.translate,
    { folder: at('model'), texts, options: { batchSize: 2, maxNewTokens: 9 } },
    cpu,
  );
  const translations = texts.map((source, i) => ({ source, best: found[i]?.[0] }));
  writeFileSync(
    at('made.tsv'),
    translations.map(({ source, best }) => `${source}\t${best?.text.trim() || 'a'}\n`).join(''),
  );
  const pairs = { files: [at('made.tsv')] };
  const scored = await runJob(jobs.score, { folder: at('model'), pairs, batchSize: 2 }, cpu);
  expect(scored.map((pair) => pair.source)).toEqual(texts);
  for (const [i, { best }] of translations.entries()) {
    const { logProb = 0, tokens = [] } = scored[i] ?? {};
    expect(tokens.reduce((sum, token) => sum + token.logProb, 0)).toBeCloseTo(logProb, 5);
    expect(tokens.at(-1)?.token).toBe('[end]');
    // A translation that was cut, or starts with a space, is another text.
    if (best?.ended && best.text.trim() === best.text && best.text)
      expect(logProb).toBeCloseTo(best.logProb, 3);
  }
  const { loss } = await runJob(
    jobs.evaluate,
    { folder: at('model'), pairs, options: { batchSize: 2 } },
    cpu,
  );
  const sum = scored.reduce((total, { logProb = 0 }) => total + logProb, 0);
  const count = scored.reduce((total, { tokens = [] }) => total + tokens.length, 0);
  expect(-sum / count).toBeCloseTo(loss, 4);
});

it('leaves out a pair that is too long, and keeps the order', async () => {
  await saveModelFolder(nodeFiles(), at('order'), letterModel());
  writeFileSync(at('long.tsv'), `a\tb\n${'abc'.repeat(9)}\ta\ncab\tdeed\n`);
  const scored = await runJob(
    jobs.score,
    { folder: at('order'), pairs: { files: [at('long.tsv')] }, batchSize: 4 },
    cpu,
  );
  expect(scored.map(({ logProb }) => logProb === undefined)).toEqual([false, true, false]);
  expect(scored[2]?.tokens?.map(({ token }) => token).join('')).toBe('deed[end]');
});

it('averages weights, and rejects another model by name', async () => {
  const models = [letterModel(1), letterModel(2), letterModel(3)];
  for (const [i, model] of models.entries()) await saveModelFolder(nodeFiles(), at(`m${i}`), model);
  const folders = models.map((_, i) => at(`m${i}`));
  expect(await runJob(jobs.average, { folders, out: at('mean') }, cpu)).toMatchObject({ models: 3 });
  const { weights } = await loadModelFolder(nodeFiles(), at('mean'));
  const mean = (i: number) => models.reduce((sum, model) => sum + (model.weights[i] as number), 0) / 3;
  for (let i = 0; i < weights.length; i += 7) expect(weights[i]).toBeCloseTo(mean(i), 6);
  const other = letterModel();
  await saveModelFolder(nodeFiles(), at('other'), {
    ...other,
    config: { ...other.config, labelSmoothing: 0.5 },
  });
  const rejected = runJob(jobs.average, { folders: [at('m0'), at('other')], out: at('none') }, cpu);
  await expect(rejected).rejects.toThrow(errorAbout({ area: expect.stringMatching(/\bother$/) }));
  await expect(runJob(jobs.average, { folders: [at('m0')], out: at('none') }, cpu)).rejects.toThrow(
    errorAbout({ area: 'average' }),
  );
});
