// The error class for problems that a user can fix, helpers that throw it, and shell quoting for its
// messages. A message is printed without a stack trace.

import { type Message, type MessageStyle, msg, plainMessage, renderMessage } from './message.ts';

/** Maximum length of a message: text quoted from a corrupt file can be as long as the file. */
const maxLength = 1000;

/** Escapes control characters except line breaks and tabs, and those that change the direction of a text. */
export const escapeControls = (text: string): string =>
  text.replace(
    /(?![\n\t])[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu,
    (c) => `\\u${(c.codePointAt(0) as number).toString(16).padStart(4, '0')}`,
  );

/** Escapes control characters and shortens a message in the middle, in this order: an escape is longer. */
function printable(message: string): string {
  const escaped = escapeControls(message);
  if (escaped.length <= maxLength) return escaped;
  return `${escaped.slice(0, maxLength / 2)} ... ${escaped.slice(escaped.length - maxLength / 2)}`;
}

/**
 * Kinds of errors that code can handle.
 *
 * - `unsupported`: this browser or machine lacks something, such as WebGPU
 * - `network`: a download failed
 * - `not-found`: there is no such file, folder or model
 * - `input`: an option, a text or a file is invalid
 * - `memory`: out of memory
 * - `device`: the GPU was lost
 * - `quota`: the disk or the storage of the browser is full
 * - `timeout`: an operation took too long
 * - `aborted`: the caller stopped it
 */
export type ErrorKind =
  | 'unsupported'
  | 'network'
  | 'not-found'
  | 'input'
  | 'memory'
  | 'device'
  | 'quota'
  | 'timeout'
  | 'aborted';

/**
 * An error caused by input, configuration or the machine. The command line prints only its message and exits
 * with status 1. Every one has a kind (default: `input`); `errorKind` also knows the kinds of errors of the platform.
 *
 * @example
 * try {
 *   await model.translate(texts);
 * } catch (error) {
 *   if (error instanceof HeddleError && error.kind === 'device') console.log('The GPU was lost.');
 *   else throw error;
 * }
 */
export class HeddleError extends Error {
  override name = 'HeddleError';
  readonly kind: ErrorKind;
  /** What the error is about: the function of the library, the option or the file. It is before the message: `train: `. */
  readonly area?: string;
  /** The message with its holes, for who prints it in other words. */
  readonly template: Message;
  constructor(message: Message | string, options: ErrorOptions & ErrorFields = {}) {
    const { kind = 'input', area } = options;
    super(printable(inArea(area, renderMessage(message))), options);
    this.kind = kind;
    this.area = area;
    this.template = typeof message === 'string' ? plainMessage(message) : message;
    // What prints an error shows its message, not also the parts of it.
    Object.defineProperty(this, 'template', { enumerable: false });
  }
}

/** What an error states besides its message. */
export interface ErrorFields {
  readonly kind?: ErrorKind;
  readonly area?: string;
}

const inArea = (area: string | undefined, text: string): string =>
  area === undefined ? text : `${area}: ${text}`;

/** Kinds of errors of browsers and Node, by `name` or `code`. */
const platformKinds: Readonly<Record<string, ErrorKind>> = {
  AbortError: 'aborted',
  TimeoutError: 'timeout',
  QuotaExceededError: 'quota',
  NotFoundError: 'not-found',
  NotReadableError: 'input',
  NotSupportedError: 'unsupported',
  ENOENT: 'not-found',
  ENOSPC: 'quota',
  EDQUOT: 'quota',
};

/**
 * The kind of anything that a call of heddle threw: that of a HeddleError, `aborted` for the AbortError of a
 * signal, `timeout` for that of `AbortSignal.timeout`; undefined for a bug.
 *
 * @example
 * const text = await model.translate('a b', { signal }).catch((error: unknown) => {
 *   if (errorKind(error) === 'aborted') return undefined; // the user has cancelled
 *   throw error;
 * });
 */
export function errorKind(error: unknown): ErrorKind | undefined {
  if (error instanceof HeddleError) return error.kind;
  // The engines of browsers and Node say so only in the message.
  if (/^RangeError.*(alloc|memory)/i.test(String(error))) return 'memory';
  const { name, code } = (error ?? {}) as { readonly name: string; readonly code: string };
  return platformKinds[code] ?? platformKinds[name];
}

/**
 * Throws a HeddleError with `message` if `condition` is falsy. `message` may be a function, if it is
 * expensive to build. `about`: the kind of the error, or its kind and area.
 *
 * @example
 * const rate = 0.1;
 * check(rate >= 0 && rate < 1, `dropout is ${rate}, it must be at least 0 and below 1`);
 */
export function check(
  condition: unknown,
  message: Message | string | (() => Message | string),
  about: ErrorKind | ErrorFields = 'input',
): asserts condition {
  if (condition) return;
  throw new HeddleError(
    typeof message === 'function' ? message() : message,
    typeof about === 'string' ? { kind: about } : about,
  );
}

/** What a value is, in words: `a number`, `an object`. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'number') return Number.isNaN(value) ? 'NaN' : 'a number';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'a text';
  const kind = typeof value;
  return `${kind === 'object' ? 'an' : 'a'} ${kind}`;
}

/** Whether a value is a shape: a list of whole numbers. */
export const isShape = (value: unknown): boolean =>
  Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);

/** Types of arguments in words. A list of numbers may be a typed array. */
export type ArgumentType =
  | 'a number'
  | 'a text'
  | 'a boolean'
  | 'a function'
  | 'a list'
  | 'an object'
  | 'a list of numbers'
  | 'a list of whole numbers';

/** Whether a value has a type. */
export function hasType(value: unknown, type: ArgumentType): boolean {
  if (type === 'a list of whole numbers') return isShape(value);
  const kind = kindOf(value);
  if (type !== 'a list of numbers') return kind === type;
  if (kind === 'a list') return (value as unknown[]).every((number) => typeof number === 'number');
  return kind === 'an object' && 'length' in (value as object);
}

/**
 * Throws a HeddleError about the function `area` unless the values, its arguments by name, have a type: JavaScript does
 * not check it, and a text in place of a number would be NaN in a result.
 * `checkTypes('gridOf', 'a number', { n, size })`.
 */
export function checkTypes(
  area: string,
  type: ArgumentType,
  values: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(values))
    if (!hasType(value, type))
      throw new HeddleError(msg`${name} is ${kindOf(value)}, it must be ${type}`, { area });
}

/** Throws a HeddleError if the signal of a call is no AbortSignal. */
export const checkSignal = (signal: AbortSignal | undefined): void =>
  check(!signal || signal.throwIfAborted, 'signal must be an AbortSignal');

/** The text of anything that was thrown, in the words of a style. */
export function messageOf(error: unknown, style?: MessageStyle): string {
  if (style && error instanceof HeddleError)
    return printable(inArea(error.area, renderMessage(error.template, style)));
  return error instanceof Error ? error.message : String(error);
}

/** The message of anything that was thrown, to be a hole of another. */
export function reasonOf(error: unknown): Message | string {
  if (!(error instanceof HeddleError)) return messageOf(error);
  return error.area === undefined ? error.template : msg`${error.area}: ${error.template}`;
}

/**
 * Returns `work()`. A HeddleError that it throws is about `area`: a file, in place of the function that read it.
 * `replaced`: the areas that it replaces; default: any.
 */
export function withArea<T>(area: string, work: () => T, replaced?: readonly string[]): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    if (replaced && !replaced.includes(error.area ?? '')) throw error;
    throw new HeddleError(error.template, { kind: error.kind, area, cause: error });
  }
}

/** Returns `work()`. A HeddleError that it throws is the reason in a message about `area`, without its own area. */
export function withReason<T>(area: string, message: (reason: Message) => Message, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof HeddleError)) throw error;
    throw new HeddleError(message(error.template), { kind: error.kind, area, cause: error });
  }
}

/** The error with `to` in place of `from` in its area and its values: the name of a file that the user knows. */
export function renamedError(error: unknown, from: string, to: string): unknown {
  if (!(error instanceof HeddleError)) return error;
  const { kind, area, template } = error;
  const named = [area, ...template.holes].some((text) => typeof text === 'string' && text.includes(from));
  if (!named) return error;
  const holes = template.holes.map((hole) => (typeof hole === 'string' ? hole.replaceAll(from, to) : hole));
  return new HeddleError({ ...template, holes }, { kind, area: area?.replaceAll(from, to), cause: error });
}

/**
 * Quotes a word of a command line in a message, so that it can be pasted into a POSIX shell: in single quotes
 * if it has special characters.
 */
export const shellQuote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
