// Conversion of worker errors for the page.
import { expect, it } from 'vitest';
import { toCallError } from '../../demo/train/worker/call-error.ts';
import { HeddleError } from '../../src/core/errors.ts';

it('derives the kind from the error, not from its message', () => {
  const message = 'The GPU device was lost; it needs 5 bytes';
  const kindOf = (kind?: HeddleError['kind']) =>
    toCallError(new HeddleError(message, kind && { kind }), false).kind;
  expect([kindOf(), kindOf('device'), kindOf('memory'), kindOf('timeout')]).toEqual([
    'user',
    'device',
    'memory',
    'user',
  ]);
  expect(toCallError(new HeddleError('a'), true)).toEqual({ kind: 'aborted', message: 'cancelled' });
  expect(toCallError(new TypeError('a'), false)).toMatchObject({ kind: 'bug', message: 'a' });
});
