// What the training page makes of an error of its worker.
import { expect, it } from 'vitest';
import { faultOf } from '../../demo/train/worker/call-error.ts';
import { HeddleError } from '../../src/core/errors.ts';

it('takes the kind of an error from the error, not from its words', () => {
  const message = 'The GPU device was lost; it needs 5 bytes';
  const kindOf = (kind?: HeddleError['kind']) => faultOf(new HeddleError(message, kind && { kind }), false).kind;
  expect([kindOf(), kindOf('device'), kindOf('memory'), kindOf('timeout')]).toEqual([
    'user',
    'device',
    'memory',
    'user',
  ]);
  expect(faultOf(new HeddleError('a'), true)).toEqual({ kind: 'aborted', message: 'cancelled' });
  expect(faultOf(new TypeError('a'), false)).toMatchObject({ kind: 'bug', message: 'a' });
});
