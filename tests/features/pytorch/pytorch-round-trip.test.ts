// Models of Hugging Face as a state_dict of PyTorch, and models that nn.Transformer does not have.

import { expect, it } from 'vitest';
import { pytorchFiles } from '../../../src/features/pytorch/pytorch.ts';
import { writeFolder } from '../../../src/files/owned-folder.ts';
import { hfFiles } from '../../../src/formats/hf/save-hf.ts';
import { errorAbout } from '../../support/expect-error.ts';
import { hfFolder, hfNames } from '../../support/hf.ts';
import { loadModelFolder } from '../../support/load-folder.ts';
import { letterModel } from '../../support/saved-model.ts';

it.each(hfNames)('%s is the same model as a state_dict', async (name) => {
  const type = name.startsWith('bart') ? 'bart' : 'marian';
  const files = await hfFolder(name);
  const model = await loadModelFolder(files, name);
  await writeFolder(files, 'pytorch', pytorchFiles(model));
  const back = await loadModelFolder(files, 'pytorch');
  expect(back).toMatchObject({ config: model.config, decode: model.decode });
  expect(back.weights).toEqual(model.weights);
  expect(hfFiles(back, type)).toEqual(hfFiles(model, type));
});

it.each([
  [{ headWidth: 8 }, { values: ['headWidth', '8', 'dModel / heads, 4'] }],
  [{ decoderHeads: 1, decoderHeadWidth: 3 }, { values: ['decoderHeadWidth', '3'] }],
])('names the fields that nn.Transformer does not have: %j', (options, expected) => {
  const call = () => pytorchFiles(letterModel(22, options));
  expect(call).toThrow(errorAbout({ values: ['nn.Transformer'] }));
  expect(call).toThrow(errorAbout(expected));
});
