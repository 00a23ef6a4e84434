// What an error is for the page: its kind and its message.

import { HeddleError } from '../../../src/core/errors.ts';
import { QuotaError } from '../../../src/files/browser-files.ts';
import { LockedError } from '../../storage/model-locks.ts';
import { ExistsError } from '../../storage/model-store.ts';
import type { Fault } from '../protocol.ts';

/** The fault of an error; `aborted` where its call was cancelled. */
export function faultOf(error: unknown, aborted: boolean): Fault {
  const { message, stack, name } = error instanceof Error ? error : new Error(String(error));
  const as = (kind: Fault['kind']): Fault => ({ kind, message });
  if (aborted || name === 'AbortError') return { kind: 'aborted', message: 'cancelled' };
  if (error instanceof QuotaError) return as('quota');
  if (error instanceof LockedError) return as('locked');
  if (error instanceof ExistsError) return as('exists');
  if (!(error instanceof HeddleError)) return { kind: 'bug', message, ...(stack && { stack }) };
  return as(error.kind === 'device' || error.kind === 'memory' ? error.kind : 'user');
}
