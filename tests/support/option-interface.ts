// Writes a table of options as a TypeScript interface with a doc comment for each field, so that editors show
// help texts. The files are in src/ and checked by tests: `npx vitest run -u TEST` writes them again.
import { describeType, flagOf, type OptionField, typescriptOf } from '../../src/core/fields.ts';
import { renderMessage } from '../../src/core/message.ts';
import type { GuestSettings } from '../../src/session/guest-settings.ts';
import { describeDefault } from '../../src/train/settings/run-defaults.ts';

/** Width of a line, as in biome.json. */
const width = 110;

/** A table, or rows of it. */
type Rows = readonly (readonly [name: string, row: OptionField])[];

/** An interface to write. */
export interface OptionInterface {
  readonly name: string;
  /** What the interface is, for its comment. */
  readonly help: string;
  readonly rows: Rows;
  /** Whether fields may be left out; default: only those named in `required` may not. */
  readonly optional: boolean;
  /** Fields that may not be left out although the others may. */
  readonly required?: readonly string[];
  /** The default of a row in words, if it is not that of the table. */
  defaultOf?(name: string, row: OptionField): string | undefined;
  /** Lines after the fields. */
  readonly more?: readonly string[];
}

/** The file of some interfaces. `source`: the table; `test`: the test that writes the file. */
export function optionFile(
  head: string,
  source: string,
  test: string,
  imports: readonly string[],
  interfaces: readonly OptionInterface[],
): string {
  const comment = wrap(generated(head, source, test), '// ');
  return `${[comment.join('\n'), ...(imports.length > 0 ? [imports.join('\n')] : []), ...interfaces.map(interfaceText)].join('\n\n')}\n`;
}

/** The file of the options of `train` that a guest brings, from its settings. */
export function guestOptionFile(guest: string, { rows }: GuestSettings): string {
  const name = `${guest.charAt(0).toUpperCase()}${guest.slice(1)}Options`;
  return optionFile(
    `The options of \`train\` that ${guest} brings, with their documentation.`,
    `src/features/${guest}/${guest}-settings.ts`,
    `tests/features/${guest}/${guest}-settings.test.ts`,
    [],
    [
      {
        name,
        help: `Options of a training run that the guest ${guest} brings.`,
        rows: Object.entries(rows),
        optional: true,
        defaultOf: describeDefault,
      },
    ],
  );
}

const generated = (head: string, source: string, test: string): string =>
  `${head} Generated from ${source} by \`npx vitest run -u ${test}\`: change the table, not this file.`;

function interfaceText({
  name,
  help,
  rows,
  optional,
  required = [],
  defaultOf,
  more = [],
}: OptionInterface): string {
  const lines = rows.flatMap(([field, row]) => [
    ...docComment(fieldHelp(field, row, rows, defaultOf)),
    ...property(`${field}${optional && !required.includes(field) ? '?' : ''}`, typescriptOf(row.type)),
  ]);
  return [...docComment(help, ''), `export interface ${name} {`, ...lines, ...more, '}'].join('\n');
}

/** Help text with values and default; flags in it are replaced by the names of the options. */
function fieldHelp(
  name: string,
  row: OptionField,
  rows: Rows,
  defaultOf?: OptionInterface['defaultOf'],
): string {
  const flags = new Map(rows.map(([option, other]) => [flagOf(option, other), option]));
  const inOptions = (text: string) => text.replace(/--[a-z-]+/g, (flag) => flags.get(flag) ?? flag);
  const { type } = row;
  const values =
    type.kind === 'integer' || type.kind === 'number'
      ? ` ${capital(renderMessage(describeType(type)))}${['n', '', 'number', 'rate'].includes(type.unit) ? '' : ` (${type.unit})`}.`
      : '';
  const standard = defaultOf ? defaultOf(name, row) : (row.defaultText ?? shownDefault(row.default));
  return `${capital(inOptions(row.help))}.${values}${standard === undefined ? '' : ` Default: ${inOptions(standard)}.`}`;
}

/** A default as text; undefined if there is none. */
export const shownDefault = (value: unknown): string | undefined =>
  value === undefined ? undefined : String(value) || 'empty';
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function property(name: string, type: string): string[] {
  const line = `  readonly ${name}: ${type};`;
  if (line.length <= width) return [line];
  const parts = type.split(' | ').map((part) => `    | ${part}`);
  return [`  readonly ${name}:`, ...parts.slice(0, -1), `${parts.at(-1)};`];
}

function docComment(text: string, indent = '  '): string[] {
  if (indent.length + text.length + 7 <= width) return [`${indent}/** ${text} */`];
  return [`${indent}/**`, ...wrap(text, `${indent} * `), `${indent} */`];
}

/** The words of a text in lines with a prefix. */
function wrap(text: string, prefix: string): string[] {
  const lines: string[] = [];
  let line = prefix.trimEnd();
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > width) {
      lines.push(line);
      line = prefix.trimEnd();
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
