// JSON transport between Node and the host of a job, a page or Deno: the request and response of a job,
// encoded so that NaN and infinities survive.

import type { HeddleError } from '../../core/errors.ts';

/** Path of the file server with the next texts of the input as JSON: a list, or null at the end. */
export const inputFile = '/heddle-input.json';

/** Request to run a job in the host: a page or Deno. */
export interface PageRequest {
  readonly name: string;
  readonly args: unknown;
  /** URL of the file server. */
  readonly files: string;
  /** File of the tuned kernels; without it no kernels are tuned. */
  readonly kernelFile?: string;
  readonly memoryLimit?: number;
  /** Maximum bytes of GPU and JavaScript memory together. */
  readonly memoryBudget?: number;
  /** Bytes of the machine's memory. */
  readonly memory: number;
}

/** Response of the host. `error`: a HeddleError, whose message is for the user; absent for a bug. */
export type PageResponse =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly message: string; readonly stack: string; readonly error?: SentError };

/** A HeddleError as data. */
export type SentError = Pick<HeddleError, 'kind' | 'area' | 'template'>;

/** A line of JSON to Deno: a call of a function of headless-page.ts, with an encoded request. */
export type DenoCall = { readonly type: 'run'; readonly text: string } | { readonly type: 'abort' | 'ping' };

/** A line of JSON from Deno: an encoded event or response, or the answer to `ping`. */
export type DenoReply =
  | { readonly type: 'event' | 'response'; readonly text: string }
  | { readonly type: 'pong' };

const key = '$number';

/** Encodes a value as JSON with NaN and infinities. */
export const encodeJson = (value: unknown): string =>
  JSON.stringify(value, (_, x: unknown) =>
    typeof x === 'number' && !Number.isFinite(x) ? { [key]: String(x) } : x,
  ) ?? 'null';

/** Decodes the text of `encodeJson`. */
export const decodeJson = (text: string): unknown =>
  JSON.parse(text, (_, x: unknown) =>
    typeof x === 'object' && x !== null && key in x ? Number((x as Record<string, unknown>)[key]) : x,
  );
