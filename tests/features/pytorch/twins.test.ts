// The twins of a model in other runtimes, transformer.py, optimizer.py and the ONNX operators: each field of a
// model, optimizer and schedule, each activation and each optimizer is on both sides, or is listed here with
// the reason why the other side does not need it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelFields } from '../../../src/model/model-fields.ts';
import { optimizerFields, optimizerNames } from '../../../src/train/update/optimizer-config.ts';
import { scheduleFields, scheduleNames } from '../../../src/train/update/schedule.ts';

const folder = join(import.meta.dirname, '../../../src/features');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const model = read('pytorch/torch-run/transformer.py');
const run = `${read('pytorch/torch-run/optimizer.py')}\n${read('pytorch/torch-run/continue.py')}`;
const onnx = readdirSync(join(folder, 'onnx/export'))
  .map((name) => read(`onnx/export/${name}`))
  .join('\n');

/** The keys of an object in Python, and the texts that code compares `name` with. */
const keysIn = (code: string, pattern: RegExp): string[] =>
  [...code.matchAll(pattern)].flatMap(([, found = '']) =>
    [...found.matchAll(/"([\w-]+)"/g)].map(([, key = '']) => key),
  );

/** Names of `known` that are neither in a twin nor listed in `unneeded`, and those listed without need. */
function differences(
  known: readonly string[],
  inTwin: (name: string) => boolean,
  unneeded: Readonly<Record<string, string>>,
): string[] {
  const forgotten = known.filter((name) => !inTwin(name) && !(name in unneeded));
  const listed = Object.keys(unneeded).filter((name) => !known.includes(name) || inTwin(name));
  return [...forgotten, ...listed];
}

/** Why exports need no field of Marian: they refuse models that have them. */
const refused = 'a model of Marian, which the export refuses';
const marian = {
  feedForwardDepth: refused,
  decoderFeedForwardDepth: refused,
  decoderSelfAttention: refused,
  decoderTiedLayers: refused,
  sublayerSteps: refused,
  normQueriesOnly: refused,
};
const shape = 'the shapes of the weights have it';

describe('in Python', () => {
  const fieldOf = (code: string, object: string) => {
    const read = new Set(keysIn(code, new RegExp(`\\b${object}(\\["\\w+"\\])`, 'g')));
    return (name: string) => read.has(name);
  };

  it('there are the activations', () => {
    const [, table = ''] = /^ACTIVATIONS = \{([^}]*)\}$/m.exec(model) ?? [];
    const names = [...table.matchAll(/"([\w-]+)":/g)].map(([, name]) => name);
    expect(names.sort()).toEqual([...modelFields.activation.type.choices].sort());
  });

  it('there are the optimizers and schedules', () => {
    const [, update = ''] = /^class Optimizer:(.*?)^class /ms.exec(run) ?? [];
    const optimizers = new Set(keysIn(update, /o\["kind"\] (?:==|in) (\([^)]*\)|"\w+")/g));
    expect([...optimizers].sort()).toEqual([...optimizerNames].sort());
    const [, rate = ''] = /^def learning_rate\(s,(.*?)^class /ms.exec(run) ?? [];
    const schedules = new Set(keysIn(rate, /s\["kind"\] == ("[\w-]+")/g));
    // The last branch is for cosine.
    expect([...schedules, 'cosine'].sort()).toEqual([...scheduleNames].sort());
  });

  it('there are the fields of the optimizer', () => {
    const has = fieldOf(run, 'o');
    const betas = /o\[f"beta\{i\}"\]/.test(run);
    expect(
      differences(Object.keys(optimizerFields), (name) => has(name) || (betas && /^beta[12]$/.test(name)), {
        decayAll: 'torch-run.json says of each parameter whether it decays',
      }),
    ).toEqual([]);
  });

  it('there are the fields of the schedule', () => {
    expect(differences(Object.keys(scheduleFields), fieldOf(run, 's'), {})).toEqual([]);
  });

  it('there are the fields of the model', () => {
    const text = (name: string) => model.includes(`"${name}"`);
    expect(
      differences(Object.keys(modelFields), text, {
        srcVocab: shape,
        tgtVocab: shape,
        decoderFeedForward: shape,
        trainOutputBias: 'torch-run.json says of each parameter whether it is trained',
        trainPositions: 'torch-run.json says of each parameter whether it is trained',
        startId: 'continue.py adds it to the batches',
        hidePadding: 'only decoding reads it',
        alignmentHead: 'only word alignments and their training read it',
        frameWidth: 'torch-run.json has it with the data',
        ...marian,
      }),
    ).toEqual([]);
  });
});

it('there are the fields of the model in ONNX', () => {
  const inCode = (name: string) =>
    new RegExp(`\\.${name}\\b|\\{[^{}]*\\b${name}\\b[^{}]*\\} = (?:b\\.)?(?:config|c|stackSizes)\\b`).test(
      onnx,
    );
  const training = 'only training reads it';
  const whisper = 'only Whisper is exported: a conv stem, no bias of keys';
  expect(
    differences(Object.keys(modelFields), inCode, {
      srcVocab: shape,
      feedForward: shape,
      decoderFeedForward: shape,
      decoderHeadWidth: 'stackSizes has it as headWidth',
      relativeBuckets: shape,
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
      maxSource: shape,
      ...marian,
    }),
  ).toEqual([]);
});
