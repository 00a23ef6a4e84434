// The body of a request: JSON or a form, of limited size.

import type { IncomingMessage } from 'node:http';
import { messageOf } from '../../core/errors.ts';
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
  const contentType = request.headers['content-type'] ?? '';
  const type = contentType.split(';')[0]?.trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded' || type === 'multipart/form-data')
    return formFields(text, contentType);
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

/** The text fields of a form, parsed by the platform; a field that is named several times is a list. */
async function formFields(text: string, type: string): Promise<RequestFields> {
  const body = new Response(text, { headers: { 'content-type': type } });
  const form = await body.formData().catch((cause: unknown) => {
    throw new Refusal(400, `the body is not a form: ${messageOf(cause)}`);
  });
  return Object.fromEntries(
    [...new Set(form.keys())].map((name) => {
      const values = form.getAll(name).filter((value) => typeof value === 'string');
      return [name, values.length === 1 ? values[0] : values];
    }),
  );
}
