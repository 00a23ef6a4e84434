// Runs a program in the sandboxed frame of the page Code. The frame has an opaque origin, so a program cannot
// access the storage of this site, and its policy allows no requests. It is not a worker: workers of an
// opaque origin have no WebGPU. vite.config.ts inserts this script into code-frame.html.

/** A name that no module exports. */
const probe = 'parsed_and_linked';

/** Error message of Chrome, Firefox and Safari for an import that the module does not export. */
const missingExport = /(?:provide an export named:?|Importing binding name) '([^']+)'/;

/** Maximum number of lines that are sent to the page. */
const maxLines = 2000;

const urlOf = (text) => URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));

let port;
let programUrl = '';
let lines = 0;

addEventListener('message', ({ data, source, ports }) => {
  if (source !== parent || port || !ports[0]) return;
  [port] = ports;
  void run(data);
});
parent.postMessage('ready', '*');

/** Runs a program with the text of the library; `file` becomes a global variable. */
async function run({ library, code, file }) {
  const libraryUrl = urlOf(library);
  // Registers a host with files in memory.
  const { entryNames } = await import(libraryUrl);
  const urls = {};
  for (const [entry, names] of Object.entries(entryNames))
    urls[entry] = urlOf(`export { ${names.join(', ')} } from '${libraryUrl}';`);
  const program = code.replace(
    /(\bfrom\s*|\bimport\s*\(?\s*)(['"])(heddle(?:\/\w+)?)\2/g,
    (whole, before, quote, entry) => (urls[entry] ? `${before}${quote}${urls[entry]}${quote}` : whole),
  );
  const error = await syntaxError(program);
  if (error) port.postMessage({ type: 'error', ...error });
  else {
    globalThis.file = file;
    programUrl = urlOf(program);
    try {
      await import(programUrl);
    } catch (thrown) {
      const [, name] = missingExport.exec(thrown?.message ?? '') ?? [];
      if (name === undefined) report(thrown);
      else
        port.postMessage({
          type: 'error',
          text: `${entryOf(code, name)} exports no ${name}.`,
          line: lineWith(code, name),
        });
    }
  }
  port.postMessage({ type: 'end' });
}

/** The entry from which a program imports a name. */
const entryOf = (code, name) =>
  Array.from(code.matchAll(/import\s*\{([^}]*)\}\s*from\s*['"](heddle(?:\/\w+)?)['"]/g)).find(([, names]) =>
    names.split(/\W+/).includes(name),
  )?.[2] ?? 'heddle';

/** Number of the first line with a word, from 1. */
const lineWith = (code, word) => code.split('\n').findIndex((line) => line.split(/\W+/).includes(word)) + 1;

/**
 * The syntax error of a module and its line, which import() does not report; undefined if there is none. The
 * module is parsed but not run, since its last import does not exist.
 */
function syntaxError(program) {
  const url = urlOf(`${program}\nimport { ${probe} } from '${urlOf('')}';`);
  const script = document.createElement('script');
  script.type = 'module';
  script.src = url;
  return new Promise((resolve) => {
    const done = (error) => {
      removeEventListener('error', found);
      script.remove();
      resolve(error);
    };
    const found = (event) => {
      if (event.filename !== url) return;
      event.preventDefault();
      const isSyntax = !missingExport.test(event.message);
      done(isSyntax ? { text: event.message.replace(/^Uncaught /, ''), line: event.lineno } : undefined);
    };
    addEventListener('error', found);
    script.onerror = () => done(undefined);
    script.onload = () => done(undefined);
    document.head.append(script);
  });
}

const print = (level, text) => {
  lines++;
  if (lines < maxLines) port?.postMessage({ type: 'print', level, text });
  else if (lines === maxLines)
    port?.postMessage({ type: 'print', level: 'warn', text: 'Further lines are not shown.' });
};
for (const level of ['log', 'info', 'debug', 'warn', 'error'])
  console[level] = (...values) => print(level, values.map((value) => show(value)).join(' '));
console.table = (rows) => print('log', show(rows));

/** Line of the innermost call in the program in the stack of an error; 0 if there is none. */
const lineOf = (error) => {
  const [, line] = new RegExp(`${programUrl}:(\\d+)`).exec(error?.stack ?? '') ?? [];
  return Number(line ?? 0);
};

function report(error) {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : `Uncaught: ${show(error)}`;
  port?.postMessage({ type: 'error', text, line: lineOf(error) });
}
addEventListener('unhandledrejection', (event) => {
  event.preventDefault();
  report(event.reason);
});
addEventListener('error', (event) => {
  if (event.defaultPrevented || programUrl === '') return;
  event.preventDefault();
  report(event.error ?? event.message);
});
addEventListener('heddle-file', ({ detail: { path, bytes } }) => {
  const copy = bytes.slice();
  port?.postMessage({ type: 'file', path, bytes: copy }, [copy.buffer]);
});

/** Formats a value as the console does. */
function show(value, depth = 0, seen = []) {
  if (typeof value === 'string') return depth === 0 ? value : JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Error)
    return value.stack?.includes(value.message) ? value.stack : `${value.name}: ${value.message}`;
  if (seen.includes(value)) return '[circular]';
  const path = [...seen, value];
  const items = (list, length, inner) => {
    const shown = Array.from({ length: Math.min(length, 100) }, (_, i) => inner(list[i]));
    if (length > 100) shown.push(`… ${length - 100} more`);
    return shown.join(', ');
  };
  if (ArrayBuffer.isView(value) && !(value instanceof DataView))
    return `${value.constructor.name}(${value.length}) [${items(value, value.length, String)}]`;
  const name = value.constructor?.name ?? '';
  if (depth > 3) return Array.isArray(value) ? '[…]' : `${name} {…}`;
  const inner = (item) => show(item, depth + 1, path);
  if (Array.isArray(value)) return `[${items(value, value.length, inner)}]`;
  if (value instanceof Map || value instanceof Set)
    return `${name}(${value.size}) [${items([...value], value.size, inner)}]`;
  const entries = Object.entries(value);
  const text = items(entries, entries.length, ([key, item]) => `${key}: ${inner(item)}`);
  return `${name && name !== 'Object' ? `${name} ` : ''}{${text && ` ${text} `}}`;
}
