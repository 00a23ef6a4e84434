// Expects errors by what they are about, their kind and their holes, so that their wording can change.

import { expect } from 'vitest';
import { type ErrorKind, errorKind, HeddleError } from '../../src/core/errors.ts';
import { type Hole, holesOf, type Message, messageKey } from '../../src/core/message.ts';

/** What is expected of an error; what is not given is not compared. */
export interface ExpectedError {
  /** [input] */
  readonly kind?: HeddleError['kind'];
  /** The function, the option or the file that it is about. */
  readonly area?: string;
  /** Names of the options in its holes, in order. */
  readonly options?: readonly string[];
  /** Options with values that it offers, in order. */
  readonly offers?: readonly object[];
  /** Values that are among its holes: texts, numbers, paths. */
  readonly values?: readonly unknown[];
  /** Its template, for an error without area and holes: `The model is disposed; load it again`. */
  readonly template?: string;
}

// Errors that several tests expect and that only their templates tell apart: the one place with their words.

/** A call of a model after `dispose`. */
export const disposedModel: ExpectedError = { template: 'The model is disposed; load it again' };
/** A run of a program after the end of its engine. */
export const destroyedProgram: ExpectedError = { template: 'The program is destroyed' };
/** A call on a GPU device that was lost, also one that waited for results. */
export const lostDevice: ExpectedError = { kind: 'device', template: 'The GPU device was lost ({0})' };
/** A read on a GPU device that was destroyed on purpose. */
export const failedRead: ExpectedError = { kind: 'device', template: 'Reading results back failed: {0}' };
/** Tensors of f16 on an adapter without shader-f16. */
export const noF16: ExpectedError = {
  kind: 'unsupported',
  template: '{0} would be stored as f16, but this adapter has no shader-f16; use precision f32',
};

/** The value of a hole: itself, or that of a number or a path with a type. */
function holeValue(hole: Hole): unknown {
  if (typeof hole !== 'object') return hole;
  if ('value' in hole) return hole.value;
  return 'path' in hole ? hole.path : hole;
}

/** The values of the holes of a message, in their order; undefined if there is none. */
export const holeValues = (message: Message | undefined): readonly unknown[] | undefined =>
  message && holesOf(message).map(holeValue);

/** What of an error is compared with what is expected. */
function facts({ kind, area, template }: HeddleError, expected: ExpectedError) {
  const holes = holesOf(template);
  const named = holes.flatMap((hole) =>
    typeof hole === 'object' && hole.type === 'option' ? [hole.name] : [],
  );
  const offered = holes.flatMap((hole) =>
    typeof hole === 'object' && hole.type === 'offer' ? [hole.values] : [],
  );
  return {
    kind,
    area: expected.area === undefined ? undefined : area,
    options: expected.options && named,
    offers: expected.offers && offered,
    values: holes.map(holeValue),
    template: expected.template && messageKey(template),
  };
}

/** The same fields as expected. A kind only is refused: any other error of that kind would pass. */
function wanted({ kind = 'input', area, options, offers, values, template }: ExpectedError) {
  if ([area, options, offers, values, template].every((field) => field === undefined))
    throw new Error('an expected error needs an area, options, offers, values or a template');
  return { kind, area, options, offers, values: expect.arrayContaining([...(values ?? [])]), template };
}

/**
 * A HeddleError with these fields, for `toThrow`:
 * `expect(() => train([])).toThrow(errorAbout({ area: 'train', options: ['heldOut'] }))`.
 */
export function errorAbout(expected: ExpectedError) {
  const fields = wanted(expected);
  return {
    asymmetricMatch(thrown: unknown): boolean {
      if (!(thrown instanceof HeddleError)) return false;
      try {
        expect(facts(thrown, expected)).toEqual(fields);
        return true;
      } catch {
        return false;
      }
    },
    toString: () => 'HeddleError',
    toAsymmetricMatcher: () => `HeddleError ${JSON.stringify({ kind: 'input', ...expected })}`,
  };
}

/** Matches what was thrown by `matches`; `wanted` is printed if it does not. */
const errorThat = (wanted: string, matches: (thrown: unknown) => boolean) => ({
  asymmetricMatch: matches,
  toString: () => 'Error',
  toAsymmetricMatcher: () => wanted,
});

/** Anything of this kind, of heddle or of the platform, for `toThrow`: `errorOfKind('aborted')`. */
export const errorOfKind = (kind: ErrorKind) =>
  errorThat(`error of kind ${kind}`, (thrown) => errorKind(thrown) === kind);

/**
 * An error without holes, of a bug or of another program, for `toThrow`. Its message has these values in this
 * order, and the test does not ask for the words between them.
 */
export const errorNaming = (...values: readonly (string | number)[]) =>
  errorThat(`Error with ${values.join(' ... ')}`, (thrown) => {
    if (!(thrown instanceof Error) || thrown instanceof HeddleError) return false;
    let at = 0;
    return values.every((value) => {
      const found = thrown.message.indexOf(String(value), at);
      at = found + String(value).length;
      return found >= 0;
    });
  });

/** Expects that a call throws or rejects with a HeddleError with these fields. Returns the error. */
export async function expectError(call: () => unknown, expected: ExpectedError): Promise<HeddleError> {
  let thrown: unknown;
  try {
    await call();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(HeddleError);
  const error = thrown as HeddleError;
  expect(facts(error, expected), error.message).toEqual(wanted(expected));
  return error;
}
