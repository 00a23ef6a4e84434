// Conversion of errors into the form that is sent to the page.

import { QuotaError } from '../../../src/files/browser-files.ts';
import { HeddleError } from '../../../src/index.ts';
import { LockedError } from '../../storage/model-locks.ts';
import { ExistsError } from '../../storage/model-store.ts';
import type { CallError } from '../protocol.ts';

/** Returns the kind and message of an error; `aborted`: whether its call was cancelled. */
export function toCallError(error: unknown, aborted: boolean): CallError {
  const { message, stack, name } = error instanceof Error ? error : new Error(String(error));
  const as = (kind: CallError['kind']): CallError => ({ kind, message });
  if (aborted || name === 'AbortError') return { kind: 'aborted', message: 'cancelled' };
  if (error instanceof QuotaError) return as('quota');
  if (error instanceof LockedError) return as('locked');
  if (error instanceof ExistsError) return as('exists');
  if (!(error instanceof HeddleError)) return { kind: 'bug', message, ...(stack && { stack }) };
  return as(error.kind === 'device' || error.kind === 'memory' ? error.kind : 'user');
}
