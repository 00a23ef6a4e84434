// What the page Code loads as files: the library as one module, the frame that programs run in, and the examples of
// the documentation.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { build, type Plugin } from 'vite';
import { examplePrograms } from '../example-programs.ts';
import { htmlTranslator } from './html-translator.ts';
import { isolation, pageChecks, root } from './project-files.ts';
import { shaderTexts } from './shader-texts.ts';

/** The module of the examples of the page Code. */
export const codeExamples: Plugin = {
  name: 'heddle:examples',
  resolveId: (id) => (id === 'virtual:heddle-examples' ? `\0${id}` : undefined),
  async load(id) {
    if (id !== '\0virtual:heddle-examples') return undefined;
    const [readme = '', guide = ''] = await Promise.all(
      ['README.md', 'docs/examples.md'].map((path) => readFile(resolve(root, path), 'utf8')),
    );
    return `export const examples = ${JSON.stringify(examplePrograms(readme, guide))};`;
  },
};

/** Text of the library as one module, which the programs of the page Code import. */
let codeLibrary: Promise<string> | undefined;
function buildCodeLibrary(): Promise<string> {
  codeLibrary ??= build({
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [shaderTexts(), htmlTranslator()],
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: resolve(root, 'demo/code/library.ts'), formats: ['es'] },
      rolldownOptions: { output: { codeSplitting: false }, checks: pageChecks },
    },
  }).then((results) => {
    const [output] = [results].flat() as { output: { type: string; code?: string }[] }[];
    return output?.output.find(({ type }) => type === 'chunk')?.code ?? '';
  });
  return codeLibrary;
}

/**
 * code-frame.html, the frame that programs run in: its script is inline, and its policy allows only that
 * script and programs.
 */
async function codeFrame(): Promise<string> {
  const script = await readFile(resolve(root, 'demo/code/frame.js'), 'utf8');
  const hash = createHash('sha256').update(script).digest('base64');
  const policy = `default-src 'none'; script-src 'sha256-${hash}' blob:`;
  return `<!doctype html>\n<meta charset="utf-8" />\n<meta http-equiv="Content-Security-Policy" content="${policy}" />\n<title>Program</title>\n<script>${script}</script>\n`;
}

/** Serves and builds code-frame.html and code/library.js, which the page Code loads as files. */
export const codePage: Plugin = {
  name: 'heddle:code-page',
  async generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'code-frame.html', source: await codeFrame() });
    this.emitFile({ type: 'asset', fileName: 'code/library.js', source: await buildCodeLibrary() });
  },
  configureServer({ middlewares }) {
    const send = (path: string, type: string, text: () => Promise<string>) =>
      middlewares.use(path, (_, response, next) => {
        const answer = (body: string) =>
          response.writeHead(200, { 'Content-Type': type, ...isolation, ...forFrame }).end(body);
        text().then(answer, next);
      });
    send('/code-frame.html', 'text/html', codeFrame);
    send('/code/library.js', 'text/javascript', buildCodeLibrary);
  },
  configurePreviewServer({ middlewares }) {
    middlewares.use('/code-frame.html', (_, response, next) => {
      for (const [name, value] of Object.entries(forFrame)) response.setHeader(name, value);
      next();
    });
  },
};

/**
 * Header of code-frame.html: without it Firefox, which treats the sandboxed frame as another origin, does not
 * load it in an isolated page.
 */
const forFrame = { 'Cross-Origin-Resource-Policy': 'cross-origin' };
