// The scripts of the HTML file that has a model and its translator (src/features/html/), as a module: the first one as
// text, the translator compressed.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import { build, type Plugin } from 'vite';
import { pageChecks, root } from './project-files.ts';
import { shaderTexts } from './shader-texts.ts';

/** The text of a script as one file. */
async function scriptOf(path: string): Promise<string> {
  const results = await build({
    configFile: false,
    root,
    logLevel: 'warn',
    plugins: [shaderTexts()],
    build: {
      write: false,
      target: 'es2022',
      lib: { entry: resolve(root, path), formats: ['es'] },
      minify: true,
      rolldownOptions: { output: { codeSplitting: false }, checks: pageChecks },
    },
  });
  const [output] = [results].flat() as { output: { type: string; code?: string }[] }[];
  const code = output?.output.find(({ type }) => type === 'chunk')?.code ?? '';
  return code.replaceAll('</script', '<\\/script');
}

/** The scripts as JSON. */
async function jsonOfScripts(): Promise<string> {
  const folder = 'src/features/html/page';
  const [start, translator] = await Promise.all([
    scriptOf(`${folder}/unpack-translator.ts`),
    scriptOf(`${folder}/offline-translator.ts`),
  ]);
  const packed = gzipSync(translator, { level: constants.Z_BEST_COMPRESSION });
  return JSON.stringify({ start, text: packed.toString('base64') });
}

let file: Promise<string> | undefined;
/**
 * A module that fetches a file of the scripts: the workers and pages of a site share it. It fetches when it is called: a
 * module that waits divides the modules of its worker into many files.
 */
async function moduleOfFile(): Promise<string> {
  const path = resolve(root, 'node_modules/.cache/heddle/html-translator.json');
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await jsonOfScripts());
  return `import url from ${JSON.stringify(`${path}?url`)};
    export default () => fetch(url).then((response) => response.json());`;
}

let scripts: Promise<string> | undefined;
const id = 'virtual:heddle-html-translator';

/** The module; `asFile`: its text is a file beside the others, which it fetches. */
export const htmlTranslator = ({ asFile = false } = {}): Plugin => ({
  name: 'heddle:html-translator',
  resolveId: (given) => (given === id ? `\0${id}` : undefined),
  async load(given) {
    if (given !== `\0${id}`) return undefined;
    if (asFile) {
      file ??= moduleOfFile();
      return file;
    }
    scripts ??= jsonOfScripts().then((json) => `export default async () => (${json});`);
    return scripts;
  },
});
