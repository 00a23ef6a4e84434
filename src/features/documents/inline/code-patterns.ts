// The codes that texts of programs and pages contain: tags, entities, URLs, and the placeholders of format
// strings. They are searched with patterns that take linear time.

/** The format strings of a text: those of C (with flag c-format), or those that most programs use. */
export interface CodePattern {
  /** Flags of a PO entry: `c-format`, `python-format`, ... */
  readonly flags: ReadonlySet<string>;
  /** Whether options of commands are codes, such as `--help`, as in messages of programs. Default: they are not. */
  readonly hasOptions?: boolean;
}

/** The pattern of a text without flags. */
export const anyCodes: CodePattern = { flags: new Set() };

/** A code in a text. */
export interface FoundCode {
  readonly start: number;
  readonly raw: string;
  readonly isOrdered: boolean;
  /** Name of a tag, and what it does. */
  readonly tag: { readonly name: string; readonly kind: 'open' | 'close' | 'single' } | undefined;
}

const tag = String.raw`<\d\d(?::\d\d){1,2}\.\d{3}>|<\/?[A-Za-z][\w:.-]*(?:\s+[\w:.@-]+(?:\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=]+))?)*\s*\/?>`;
const entity = String.raw`&(?:[A-Za-z][A-Za-z0-9]{1,31}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});`;
const url = String.raw`\b(?:https?|ftps?|file|git|ssh):\/\/[^\s<>"'{}%$\u3000-\u303f\ue000-\uf7ff]*[^\s<>"'{}%$.,;:!?()\u3000-\u303f\ue000-\uf7ff\]]`;
const mail = String.raw`\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+`;
/** Directives of C and its relatives, with the space flag: only in texts that are format strings. */
const printf = String.raw`%(?:\d+\$)?[-+ #0'Iq]*(?:\*(?:\d+\$)?|\d+)?(?:\.(?:\*(?:\d+\$)?|\d*))?(?:<PRI\w+>|(?:hh?|ll?|I64|I32|wf?\d+|[LjzZtw])?(?:[A-Za-z%@<>'{}]))`;
/** Those without spaces, and the named ones of Python, Ruby, Qt and others. */
const common = String.raw`%(?:\d+\$)?[-+#0']*\d*(?:\.\d+)?(?:hh?|ll?|[Lqjzt])?[diouxXeEfFgGcspS@](?![A-Za-z])|%%|%\(\w[\w.]*\)[-+#0 ]*\d*(?:\.\d+)?[diouxXeEfFgGcrsa%]?|%<\w+>\w?|%L?\d{1,2}(?!\d)|%n(?!\w)|%[A-Za-z_]\w*%`;
/** Formats of dates and times, as in strftime: `%Y-%m-%d`, `%H:%M`. Not of percents: `100%A`. */
const dateField = String.raw`%[-_^#0]?[EO]?[aAbBcCdDeFgGhHIjklmMnprRsStTuUVwWxXyYzZ](?![A-Za-z\d])`;
const date = String.raw`(?<!\d)${dateField}(?:[-:/.,T]*${dateField})*`;
const shell = String.raw`\$\w+|\$\{[^{}\s]{1,100}\}`;

/** What a code can start with; text between is skipped. */
const starts = /[<&%{$#]|\b(?:https?|ftps?|file|git|ssh):|@/g;

/** Where options of a command can start: `-h, --help`. */
const optionStart = String.raw`(?<![^\s"'(\[{<|=,;:/“‘\x60])(?:-\w,\s+)?--(?=[A-Za-z])`;

const compiled = (source: string) => new RegExp(source, 'y');
const rules = {
  tag: compiled(tag),
  entity: compiled(entity),
  url: compiled(url),
  printf: compiled(printf),
  common: compiled(common),
  date: compiled(date),
  shell: compiled(shell),
  dollar: compiled(String.raw`\$\{[^{}\s]{1,100}\}|\$\(\w{1,100}\)`),
  tilde: /~[\w~%]/y,
  option: /(?:-\w,\s+)?--[A-Za-z][\w-]*/y,
};
const mails = new RegExp(mail, 'g');

/** Longest argument in braces, with all its variants. */
const maxBraces = 4000;

/** The end of a group in braces that is an argument; -1 if it is text in braces. */
function bracesEnd(text: string, start: number): number {
  if (text.startsWith('{%', start)) {
    const end = text.indexOf('%}', start);
    return end < 0 || end - start > maxBraces ? -1 : end + 2;
  }
  let depth = 0;
  for (let at = start; at < Math.min(text.length, start + maxBraces); at++) {
    if (text[at] === '{') depth++;
    if (text[at] !== '}' || --depth > 0) continue;
    const inside = text.slice(start + 1, at);
    const isArgument =
      /^[^\s{}]*$/.test(inside) ||
      /^\s*[\w.]+\s*,\s*(?:plural|select|selectordinal|number|date|time|choice|spellout|ordinal|duration)\b/.test(
        inside,
      ) ||
      /^\{[^{}]*\}$/.test(inside);
    return isArgument ? at + 1 : -1;
  }
  return -1;
}

/** The C family of flags, whose directives are counted and ordered. */
const ordered = new Set([
  'c-format',
  'objc-format',
  'c++-format',
  'python-format',
  'perl-format',
  'php-format',
  'awk-format',
  'lua-format',
  'javascript-format',
  'gcc-internal-format',
  'gfc-internal-format',
  'ruby-format',
  'java-printf-format',
  'go-format',
  'pascal-format',
  'object-pascal-format',
]);

/** Whether a text is a format string. */
export const isFormatString = ({ flags }: CodePattern): boolean =>
  [...flags].some((flag) => ordered.has(flag));

/** A placeholder: what has one is an element in text in braces, and no code. */
const element = /[\ue000-\uf7ff]/;

/** The codes in a text, in order. */
export function codesIn(text: string, pattern: CodePattern): FoundCode[] {
  const { flags, hasOptions = false } = pattern;
  const found: FoundCode[] = [];
  const isFormat = isFormatString(pattern);
  const isShell = flags.has('sh-format') || flags.has('perl-brace-format') || flags.has('tcl-format');
  const isLisp = flags.has('lisp-format') || flags.has('scheme-format');
  const match = (rule: RegExp, at: number): string | undefined => {
    rule.lastIndex = at;
    return rule.exec(text)?.[0];
  };
  const addMails = (from: number, to: number) => {
    mails.lastIndex = 0;
    for (const { index, 0: raw } of text.slice(from, to).matchAll(mails))
      found.push({ start: from + index, raw, isOrdered: false, tag: undefined });
  };
  const search = isLisp
    ? /[<&%{$#~]|\b(?:https?|ftps?|file|git|ssh):|@/g
    : new RegExp(hasOptions ? `${starts.source}|${optionStart}` : starts, 'g');
  let [done, hasMail] = [0, false];
  for (let next = search.exec(text); next; next = search.exec(text)) {
    const { index: at } = next;
    const character = text[at] as string;
    hasMail ||= character === '@';
    const raw =
      character === '<'
        ? match(rules.tag, at)
        : character === '&'
          ? match(rules.entity, at)
          : character === '%'
            ? percentAt(text, at, isFormat, match)
            : character === '{'
              ? text.slice(at, Math.max(at, bracesEnd(text, at)))
              : character === '$' || character === '#'
                ? dollarAt(text, at, isShell, match)
                : character === '~'
                  ? match(rules.tilde, at)
                  : character === '-'
                    ? match(rules.option, at)
                    : match(rules.url, at);
    if (!raw || element.test(raw)) continue;
    if (hasMail || text.slice(done, at).includes('@')) addMails(done, at);
    hasMail = false;
    const isOrdered = (isFormat || isLisp) && /^[%~]/.test(raw) && !/^%%$|\$|\(|^%[{<]/.test(raw);
    const isBrace = flags.has('python-brace-format') && /^\{[:!}]/.test(raw);
    found.push({ start: at, raw, isOrdered: isOrdered || isBrace, tag: tagOf(raw) });
    done = at + raw.length;
    search.lastIndex = done;
  }
  if (text.slice(done).includes('@')) addMails(done, text.length);
  return found;
}

type Match = (rule: RegExp, at: number) => string | undefined;

function percentAt(text: string, at: number, isFormat: boolean, match: Match): string | undefined {
  if (text[at + 1] === '{') {
    const end = bracesEnd(text, at + 1);
    if (end > 0) return text.slice(at, end);
  }
  if (isFormat) return match(rules.printf, at) ?? match(rules.common, at);
  const [date, common] = [match(rules.date, at), match(rules.common, at)];
  // A date has at least a field that is no directive of printf.
  return date !== undefined && date.length > (common?.length ?? 0) ? date : common;
}

function dollarAt(text: string, at: number, isShell: boolean, match: Match): string | undefined {
  if (text[at] === '#' && text[at + 1] !== '{') return undefined;
  if (text[at + 1] === '{') {
    const end = bracesEnd(text, at + 1);
    return end > 0 ? text.slice(at, end) : undefined;
  }
  return isShell ? match(rules.shell, at) : match(rules.dollar, at);
}

/** Elements of HTML without an end. */
const empty = /^(?:br|hr|img|input|wbr|area|base|col|embed|link|meta|param|source|track)$/i;

function tagOf(raw: string): FoundCode['tag'] {
  const name = /^<\/?([A-Za-z][\w:.-]*)/.exec(raw)?.[1];
  if (name === undefined) return undefined;
  const kind = raw.startsWith('</') ? 'close' : raw.endsWith('/>') || empty.test(name) ? 'single' : 'open';
  // WebVTT closes <c.yellow> with </c>.
  return { name: name.replace(/\..*/, ''), kind };
}
