// Expects errors by what they are about, their kind and their holes, so that their wording can change.

import { expect } from 'vitest';
import { HeddleError } from '../../src/core/errors.ts';
import { holesOf } from '../../src/core/message.ts';

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
  /** Values that are among its holes. */
  readonly values?: readonly unknown[];
}

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
  const { kind = 'input', area = error.area, options, offers, values = [] } = expected;
  expect({ kind: error.kind, area: error.area }, error.message).toEqual({ kind, area });
  const holes = holesOf(error.template);
  if (options)
    expect(
      holes.flatMap((hole) => (typeof hole === 'object' && hole.type === 'option' ? [hole.name] : [])),
      error.message,
    ).toEqual(options);
  if (offers)
    expect(
      holes.flatMap((hole) => (typeof hole === 'object' && hole.type === 'offer' ? [hole.values] : [])),
      error.message,
    ).toEqual(offers);
  const plain = holes.map((hole) => (typeof hole === 'object' && 'value' in hole ? hole.value : hole));
  expect(plain, error.message).toEqual(expect.arrayContaining([...values]));
  return error;
}
