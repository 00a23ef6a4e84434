// Vite plugin of the pages' languages: adds choose-language.js, with the names of the files in demo/texts/, to each
// page before its style sheets and after its content security policy.

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const folder = import.meta.dirname;

/** The script with the list of languages. */
async function script(): Promise<string> {
  const names = await readdir(join(folder, 'texts'));
  const languages = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
  const text = await readFile(join(folder, 'choose-language.js'), 'utf8');
  return text.replace('__LANGUAGES__', JSON.stringify(['en', ...languages]));
}

/** The plugin. A module would run after the first drawing, in English. */
export const pageLanguages: Plugin = {
  name: 'heddle:page-languages',
  transformIndexHtml: (html) =>
    html.replace(/(?=<(?:script|link)\b)/, '<script src="./choose-language.js"></script>\n    '),
  async generateBundle() {
    this.emitFile({ type: 'asset', fileName: 'choose-language.js', source: await script() });
  },
  configureServer: ({ middlewares }) => {
    middlewares.use('/choose-language.js', (_, response, next) => {
      script().then((text) => response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(text), next);
    });
  },
};
