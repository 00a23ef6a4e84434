// Why a device was lost, as a part of a sentence.

/** The reason of the browser in parentheses, without its full stop; empty if it gives none. */
export const lostReason = (reason: string): string =>
  reason && ` (${reason.endsWith('.') ? reason.slice(0, -1) : reason})`;
