// The batches of the page Learn: every pair once, rows no longer than their shape, less padding with more buckets.

import { expect, it } from 'vitest';
import { previewBatches } from '../../demo/toys/preview-batches.ts';
import { loadModel } from '../../src/entries/load-with-features.ts';
import { nodeHost } from '../../src/host/node-host.ts';
import { registerHost } from '../../src/session/host.ts';
import { intlCorpus } from '../../src/text/intl/intl-corpus.ts';

registerHost(nodeHost());

it('has every pair in one batch, and less padding with more buckets', async () => {
  const model = await loadModel(new URL('../../demo/models/en-es.safetensors', import.meta.url).pathname, {
    device: 'cpu',
  });
  const pairs = intlCorpus({ source: 'en', target: 'es', pairs: 20, seed: 3 });
  const padding = [1, 2, 4].map((buckets) => {
    const batches = previewBatches(model, pairs, { buckets, batchSize: 3 });
    const inputs = batches.flatMap((batch) => batch.inputs);
    expect(inputs).toHaveLength(20);
    expect(inputs.map(([first]) => first)).toEqual(Array(20).fill('[start]'));
    for (const { sources, inputs: targets, source, target, rows } of batches) {
      expect(rows).toBe(3);
      expect(Math.max(...sources.map((row) => row.length))).toBeLessThanOrEqual(source);
      expect(Math.max(...targets.map((row) => row.length))).toBeLessThanOrEqual(target);
      expect(sources.map((row) => row.at(-1))).toEqual(sources.map(() => '[end]'));
    }
    return batches.reduce(
      (n, b) => n + b.sources.length * (b.source + b.target) - [...b.sources, ...b.inputs].flat().length,
      0,
    );
  });
  expect([...padding].sort((a, b) => b - a)).toEqual(padding);
});
