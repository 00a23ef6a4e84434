// The twins of a model in PyTorch, transformer.py and optimizer.py: each field of a model, optimizer and schedule, each
// activation and each optimizer is on both sides, or is listed here with the reason why the other side does not need it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelFields } from '../../../src/model/model-fields.ts';
import { optimizerFields, optimizerNames } from '../../../src/train/update/optimizer-config.ts';
import { scheduleFields, scheduleNames } from '../../../src/train/update/schedule.ts';
import { differences, inShapes, marianFields } from '../../support/twin-fields.ts';

const folder = join(import.meta.dirname, '../../../src/features/pytorch/torch-run');
const read = (path: string) => readFileSync(join(folder, path), 'utf8');
const model = read('transformer.py');
const run = `${read('optimizer.py')}\n${read('continue.py')}`;

/** The keys of an object in Python, and the texts that code compares `name` with. */
const keysIn = (code: string, pattern: RegExp): string[] =>
  [...code.matchAll(pattern)].flatMap(([, found = '']) =>
    [...found.matchAll(/"([\w-]+)"/g)].map(([, key = '']) => key),
  );

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
        srcVocab: inShapes,
        tgtVocab: inShapes,
        decoderFeedForward: inShapes,
        trainOutputBias: 'torch-run.json says of each parameter whether it is trained',
        trainPositions: 'torch-run.json says of each parameter whether it is trained',
        startId: 'continue.py adds it to the batches',
        hidePadding: 'only decoding reads it',
        alignmentHead: 'only word alignments and their training read it',
        frameWidth: 'torch-run.json has it with the data',
        ...marianFields,
      }),
    ).toEqual([]);
  });
});
