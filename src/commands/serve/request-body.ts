// The body of a request: JSON or a form, of limited size.

import type { IncomingMessage } from 'node:http';
import { Refusal } from './access.ts';

/** Fields of a request. */
export type RequestFields = Readonly<Record<string, unknown>>;

/** Limits of a body: bytes, and milliseconds without one of them. */
export interface BodyLimits {
  readonly maxBytes: number;
  readonly timeout: number;
}

/** Reads a body. Rejects with a Refusal if it is too large, stops, is of another type or not valid. */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, timeout }: BodyLimits,
): Promise<RequestFields> {
  const tooLarge = () =>
    new Refusal(413, `the body has more than ${maxBytes} bytes`, { connection: 'close' });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  const parts = (request as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (;;) {
    const part = await inTime(parts.next(), timeout);
    if (part.done) break;
    size += part.value.length;
    if (size > maxBytes) throw tooLarge();
    chunks.push(part.value);
  }
  const text = (() => {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    } catch {
      throw new Refusal(400, 'the body is not UTF-8');
    }
  })();
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return formFields(new URLSearchParams(text));
  if (type === 'multipart/form-data') return multipartFields(text, request.headers['content-type'] ?? '');
  if (type !== 'application/json' && type !== '')
    throw new Refusal(415, `the type ${type} is not supported; send JSON`);
  try {
    const value: unknown = JSON.parse(text);
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value as RequestFields;
  } catch {
    // the same answer as for any other value
  }
  throw new Refusal(400, 'the body is not a JSON object');
}

/** The next part of a body. Rejects with a Refusal if it does not come in time. */
async function inTime<T>(next: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Refusal(408, 'the body stopped before its end', { connection: 'close' })),
      milliseconds,
    );
  });
  try {
    return await Promise.race([next, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Fields of a form; a field that is named several times is a list. */
function formFields(form: Iterable<[string, string]>): RequestFields {
  const fields = new Map<string, string | string[]>();
  for (const [name, value] of form) {
    const known = fields.get(name);
    fields.set(name, known === undefined ? value : [known, value].flat());
  }
  return Object.fromEntries(fields);
}

/** Text fields of a multipart form (RFC 7578). */
function multipartFields(text: string, type: string): RequestFields {
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (boundary === undefined) throw new Refusal(400, 'the form has no boundary');
  const parts = text.split(`--${boundary}`).slice(1, -1);
  return formFields(
    parts.flatMap((part): [string, string][] => {
      const [head = '', ...body] = part.replace(/^\r\n/, '').split('\r\n\r\n');
      const name = /\bname="([^"]*)"/i.exec(head)?.[1];
      return name === undefined ? [] : [[name, body.join('\r\n\r\n').replace(/\r\n$/, '')]];
    }),
  );
}
