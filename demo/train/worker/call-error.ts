// Conversion of errors into the form that is sent to the page.

import { HeddleError } from '../../../src/core/errors.ts';
import { LockedError } from '../../storage/model-locks.ts';
import { ExistsError } from '../../storage/model-store.ts';
import type { CallError } from '../protocol.ts';
import { errorForVisitors } from './visitor-messages.ts';

/** Returns the kind and message of an error; `aborted`: whether its call was cancelled. */
export function toCallError(error: unknown, aborted: boolean): CallError {
  const { message, stack, name } = error instanceof Error ? error : new Error(String(error));
  const as = (kind: CallError['kind']): CallError => ({ kind, message: errorForVisitors(error) });
  if (aborted || name === 'AbortError') return { kind: 'aborted', message: 'cancelled' };
  if (error instanceof LockedError) return as('locked');
  if (error instanceof ExistsError) return as('exists');
  if (!(error instanceof HeddleError)) return { kind: 'bug', message, stack };
  const { kind } = error;
  return as(kind === 'device' || kind === 'memory' || kind === 'quota' || kind === 'aborted' ? kind : 'user');
}
