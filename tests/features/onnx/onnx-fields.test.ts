// The twin of a model in ONNX operators: each field of a model is in the code that writes them, or is listed here with the
// reason why it is not needed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { modelFields } from '../../../src/model/model-fields.ts';
import { differences, inShapes, marianFields } from '../../support/twin-fields.ts';

const folder = join(import.meta.dirname, '../../../src/features/onnx/export');
const onnx = readdirSync(folder)
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n');

it('has the fields of the model', () => {
  const inCode = (name: string) =>
    new RegExp(`\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\} = (?:b\\.)?(?:config|c|stackSizes)\\b`).test(
      onnx,
    );
  const training = 'only training reads it';
  const whisper = 'only Whisper is exported: a conv stem, no bias of keys';
  expect(
    differences(Object.keys(modelFields), inCode, {
      srcVocab: inShapes,
      feedForward: inShapes,
      decoderFeedForward: inShapes,
      decoderHeadWidth: 'stackSizes has it as headWidth',
      relativeBuckets: inShapes,
      biases: 'a layer without a bias has no parameter',
      outputBias: 'a projection without a bias has no parameter',
      dropout: training,
      trainOutputBias: training,
      trainPositions: training,
      trainPadding: training,
      labelSmoothing: training,
      alignmentHead: 'only word alignments and their training read it',
      positions: 'rows of positionKinds: fixedPositions and positionKind read it',
      stem: whisper,
      keyBias: whisper,
      maxSource: inShapes,
      ...marianFields,
    }),
  ).toEqual([]);
});
