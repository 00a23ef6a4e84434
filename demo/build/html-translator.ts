// The scripts of the HTML file that has a model and its translator (src/features/html/), as a module: the first one as
// text, the translator compressed.
import { resolve } from 'node:path';
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

let scripts: Promise<string> | undefined;
async function moduleOfScripts(): Promise<string> {
  const folder = 'src/features/html/page';
  const [start, translator] = await Promise.all([
    scriptOf(`${folder}/unpack-translator.ts`),
    scriptOf(`${folder}/offline-translator.ts`),
  ]);
  const packed = gzipSync(translator, { level: constants.Z_BEST_COMPRESSION });
  return `export default ${JSON.stringify({ start, text: packed.toString('base64') })};`;
}

const id = 'virtual:heddle-html-translator';

/** The module. */
export const htmlTranslator = (): Plugin => ({
  name: 'heddle:html-translator',
  resolveId: (given) => (given === id ? `\0${id}` : undefined),
  async load(given) {
    if (given !== `\0${id}`) return undefined;
    scripts ??= moduleOfScripts();
    return scripts;
  },
});
