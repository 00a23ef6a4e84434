// Messages with typed holes: their keys, and how each reader writes them.
import { expect, it } from 'vitest';
import { check, HeddleError, messageOf, reasonOf, withArea } from '../../src/core/errors.ts';
import {
  byteSize,
  counted,
  filePath,
  holesOf,
  listed,
  messageKey,
  msg,
  offer,
  option,
  pageLabel,
  percentage,
  renderMessage,
} from '../../src/core/message.ts';

it('has its texts as a key and its values as holes, which JSON and structured clones keep', () => {
  const message = msg`${option('batchSize')} must be at least 1, not ${0}`;
  expect(messageKey(message)).toBe('{0} must be at least 1, not {1}');
  expect(holesOf(message)).toEqual([{ type: 'option', name: 'batchSize' }, 0]);
  expect(JSON.parse(JSON.stringify(message))).toEqual(message);
  expect(structuredClone(message)).toEqual(message);
});

it('is English with names of the library', () => {
  const text = renderMessage(
    msg`${counted(2, '{0} pair', '{0} pairs')} of ${filePath('a.tsv')} (${byteSize(1536)}, ${percentage(0.5)}): ${pageLabel('Steps')}; ${msg`use ${offer({ batchSize: 16, weights: 'f16', lora: { rank: 8 } })}`} or ${listed(['a', option('seed', 3)], ' or ')}`,
  );
  expect(text).toBe(
    "2 pairs of a.tsv (1.5 KiB, 50.0 %): “Steps”; use batchSize: 16, weights: 'f16', lora: { rank: 8 } or a or seed: 3",
  );
});

it('takes another text by the key, with the values in its order, and leaves what is in a value', () => {
  const style = {
    text: (key: string) => (key === '{0} is not {1}' ? '{1} no es {0}' : undefined),
    hole: (hole: unknown) => (typeof hole === 'number' ? `#${hole}` : undefined),
  };
  expect(renderMessage(msg`${'{1}'} is not ${3}`, style)).toBe('#3 no es {1}');
});

it('is the message of an error, whose area is a field', () => {
  const fail = () => check(false, msg`${option('steps')} is ${0}`, { kind: 'memory', area: 'train' });
  expect(fail).toThrow(
    expect.objectContaining({ message: 'train: steps is 0', area: 'train', kind: 'memory' }),
  );
  const inFile = () => withArea('run.yaml', fail);
  expect(inFile).toThrow(
    expect.objectContaining({ message: 'run.yaml: steps is 0', area: 'run.yaml', kind: 'memory' }),
  );
  const error = new HeddleError(msg`${option('steps')} is ${0}`, { area: 'train' });
  expect(messageOf(error, { hole: () => 'x' })).toBe('train: x is x');
  expect(renderMessage(msg`failed: ${reasonOf(error)}`)).toBe('failed: train: steps is 0');
  expect(reasonOf(new Error('bug'))).toBe('bug');
});
