// heddle translate of a model whose tokens break lines: what is printed keeps a line for each text.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { TranslatedTexts } from '../../../src/commands/jobs/translate-job.ts';
import { runJob } from '../../../src/commands/remote/run-job.ts';
import { translationLines } from '../../../src/commands/translation-lines.ts';
import { saveModelFolder } from '../../../src/formats/save-heddle.ts';
import { nodeFiles } from '../../../src/host/node-files.ts';
import { modelConfig } from '../../../src/model/model-config.ts';
import { parameterList } from '../../../src/model/parameters.ts';
import { createTokenizer, specialTokens } from '../../../src/text/tokenizers/tokenizer.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { jobs } from '../../support/jobs.ts';
import { letterModel } from '../../support/saved-model.ts';

const folder = mkdtempSync(join(tmpdir(), 'heddle-translate-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('returns one line per text, for any output of a byte-level model', async () => {
  const letters = createTokenizer({
    kind: 'char',
    lowercase: false,
    vocab: [...specialTokens, 'a', '\n', '\r'],
  });
  const size = letters.size;
  const config = modelConfig({
    srcVocab: size,
    tgtVocab: size,
    tie: 'all',
    dModel: 4,
    heads: 1,
    feedForward: 4,
    encoderLayers: 1,
    decoderLayers: 1,
    maxLength: 8,
  });
  const parameters = parameterList(config);
  const weights = new Float32Array(parameters.size);
  // Without any other weight the bias decides: a line break, then what else there is.
  weights.set([-9, -9, -9, -9, 1, 3, 2], parameters.byName.get('generator.bias')?.offset);
  const path = join(folder, 'model');
  await saveModelFolder(nodeFiles(), path, { config, source: letters, target: letters, weights });
  const decode = { noRepeatNgramSize: 1 };
  const args = {
    folder: path,
    texts: ['a', '', 'aa'],
    options: { batchSize: 2, maxNewTokens: 3, ...decode },
  };
  const found = await runJob(jobs.translate, args, { host: 'cpu' });
  expect(found.map(([best]) => best?.text)).toEqual(['\n\ra', undefined, '\n\ra']);
  expect(translationLines(found, {})).toBe('  a\n\n  a');
  expect(translationLines(found, { ids: true })).toBe('5 6 4\n\n5 6 4');
  const [score] = found[0]?.map((x) => x.score.toFixed(4)) ?? [];
  expect(translationLines(found, { numReturn: 1 })).toBe(`1\t${score}\t  a\n3\t${score}\t  a`);
  const pieces: string[] = [];
  const onEvent = (event: { type: string; text?: string }) =>
    event.type === 'piece' && pieces.push(event.text ?? '');
  await runJob(jobs.translate, { ...args, stream: true }, { host: 'cpu', onEvent });
  expect(pieces.join('')).toBe('  a\n\n  a\n');
  // Words that must not occur.
  const without = (words: string[]) => ({ ...args, options: { ...args.options, badWords: words } });
  const [[best] = []] = await runJob(jobs.translate, without(['a']), { host: 'cpu' });
  expect(best?.text.startsWith('\n\r')).toBe(true);
  expect(best?.ids).not.toContain(4);
  await expect(runJob(jobs.translate, without(['q']), { host: 'cpu' })).rejects.toThrow(
    errorAbout({ area: 'badWords', values: ['q'] }),
  );
});

it('samples the same translations in whatever groups the texts arrive', async () => {
  const path = join(folder, 'letters');
  await saveModelFolder(nodeFiles(), path, letterModel());
  const texts = ['abc', 'e', '', 'bad', 'cab', 'ace', 'de', 'abc', 'abc'];
  const options = { method: 'sample', seed: 7, temperature: 2, maxNewTokens: 8 } as const;
  const sampled = async (size: number) => {
    const groups = Array.from({ length: Math.ceil(texts.length / size) }, (_, i) =>
      texts.slice(i * size, (i + 1) * size),
    );
    const found: string[] = [];
    await runJob(
      jobs.translate,
      { folder: path, options },
      {
        host: 'cpu',
        input: async () => groups.shift(),
        onEvent(event) {
          if (event.type !== 'result') return;
          const { translations } = event.value as TranslatedTexts;
          found.push(...translations.map(([best]) => best?.text ?? ''));
        },
      },
    );
    return found;
  };
  const whole = await sampled(9);
  expect(new Set(whole.filter((_, i) => texts[i] === 'abc')).size).toBe(3);
  expect(await sampled(1)).toEqual(whole);
  expect(await sampled(4)).toEqual(whole);
});
