// Reads the values of tables of options (src/core/fields.ts) from texts of the command line and of files.

import { HeddleError } from '../core/errors.ts';
import { describeType, type FieldType, fitsType, integer, notNegative, rate } from '../core/fields.ts';
import { listed, msg } from '../core/message.ts';
import { decodeFields, type LengthPenalty } from '../decode/decode-fields.ts';
import type { DropoutRates } from '../model/model-config-types.ts';
import { dropoutPlaces, dropoutType, usualDropout } from '../model/model-fields.ts';
import { settings } from '../train/settings/settings.ts';

/**
 * Reads a value from a text of the command line; `before` is the value of the same flag so far. Throws an
 * Error that says what the text must be.
 */
export function parseField(type: FieldType, value: string, before?: unknown): unknown {
  switch (type.kind) {
    case 'integer':
    case 'number': {
      const number = value.trim() === '' ? Number.NaN : Number(value);
      if (!fitsType(type, number)) throw new HeddleError(msg`It must be ${describeType(type)}.`);
      return number;
    }
    case 'choice':
      if (!fitsType(type, value)) throw new HeddleError(msg`It must be ${describeType(type)}.`);
      return value;
    case 'list': {
      const items = value.split(',').flatMap((item) => item.trim() || []);
      if (items.length === 0)
        throw new HeddleError('It must be a list with commas, for example encoder.*,*.bias.');
      return [...(Array.isArray(before) ? before : []), ...items];
    }
    case 'custom':
      return customParsers.get(type)?.(value, before) ?? value;
    default:
      return value;
  }
}

/**
 * Reads `field=value` and adds it to the fields so far; a value that is not JSON is a text. Throws an Error that
 * says what the text must be.
 */
export function parseAssignment(assignment: string, before: object = {}): Record<string, unknown> {
  const at = assignment.indexOf('=');
  if (at < 1) throw new HeddleError('It must be field=value, for example dModel=96.');
  const value = assignment.slice(at + 1);
  let parsed: unknown = value;
  try {
    parsed = JSON.parse(value);
  } catch {
    // Not JSON: text.
  }
  return { ...before, [assignment.slice(0, at)]: parsed };
}

/** Reads a rate for all places, `0.1`, or rates of places, `attention=0.2,output=0.1`; or both combined. */
function parseDropout(text: string, before: unknown): number | Partial<DropoutRates> {
  let rates = (before ?? {}) as number | Partial<DropoutRates>;
  for (const part of text.split(',')) {
    const [name = '', value] = part.split('=', 2).map((x) => x.trim());
    if (value === undefined) {
      rates = parseField(rate, name) as number;
      continue;
    }
    if (!Object.hasOwn(dropoutPlaces, name))
      throw new HeddleError(
        msg`It must be a rate, or rates of ${listed(Object.keys(dropoutPlaces))}, for example attention=0.2.`,
      );
    const all = typeof rates === 'number' ? usualDropout(rates) : rates;
    rates = { ...all, [name]: parseField(rate, value) };
  }
  return rates;
}

/** Reads a length penalty: `average`, `none`, `power:1` or the number of GNMT's. */
function parseLengthPenalty(text: string): LengthPenalty {
  if (text === 'average' || text === 'none') return text;
  const [kind, power] = text.split(':', 2) as [string, string?];
  try {
    if (power === undefined) return parseField(notNegative(), kind) as number;
    if (kind === 'power') return { power: parseField({ kind: 'number', unit: 'power' }, power) as number };
  } catch {
    // Not a number.
  }
  throw new HeddleError('It must be a number of at least 0, average, none, or power:<number>.');
}

/** Reads ids with commas between them. */
const parseIds = (text: string): number[] =>
  text.split(',').map((id) => parseField(integer(0), id) as number);

/** Reads two rates, `0.9,0.98`. */
function parseBetas(text: string): [number, number] {
  const [beta1, beta2, ...others] = text.split(',').map((part) => parseField(rate, part) as number);
  if (beta1 === undefined || beta2 === undefined || others.length > 0)
    throw new HeddleError('It must be two rates, for example 0.9,0.98.');
  return [beta1, beta2];
}

/** Parsers of the types that have one of their own; a text is the value of others. */
const customParsers = new Map<FieldType, (text: string, before: unknown) => unknown>([
  [dropoutType, parseDropout],
  [decodeFields.lengthPenalty.type, parseLengthPenalty],
  [decodeFields.suppressTokens.type, parseIds], // the type of beginSuppressTokens, too
  [settings.betas.type, parseBetas],
  [settings.model.type, (text, before) => parseAssignment(text, before as object | undefined)],
]);
