// A model with its translator as one HTML file: it opens from a disk or a mail, and loads nothing. The translator
// is page/offline-translator.ts, which the build compresses into one text (demo/build/html-translator.ts).

import translatorScripts from 'virtual:heddle-html-translator';
import { check } from '../../core/errors.ts';
import { msg } from '../../core/message.ts';
import { heddleFiles } from '../../formats/save-heddle.ts';
import type { SavedModel } from '../../formats/shared/saved-model.ts';
import { encodeBase85 } from './base85.ts';
import type { HtmlDtype } from './html-facts.ts';
import pageStyle from './page/html-page.css?raw';
import page from './page/html-page.html?raw';

/** Largest size of the file, in bytes: what most mail services deliver, with room for their encoding. */
const maxBytes = 6_000_000;

/** How the file is made. */
export interface HtmlFileOptions {
  /** dtype of the weights. ['int8'] */
  readonly dtype?: HtmlDtype;
  /** Headline of the page, a text. [the languages of the model] */
  readonly title?: unknown;
}

/**
 * The bytes of the file. Throws a HeddleError if the model does not read text, or if the file would have more than 6 MB.
 */
export async function htmlFile(
  model: SavedModel,
  { dtype = 'int8', title = '' }: HtmlFileOptions,
): Promise<Uint8Array> {
  check(typeof title === 'string', 'title must be a text', { area: 'save: html' });
  check(
    model.config.source === 'tokens',
    'an HTML file translates text; the source of this model is not text',
    {
      area: 'save: html',
    },
  );
  const scripts = await translatorScripts();
  const files = Object.entries(heddleFiles(model, dtype));
  const names = files.map(([name, bytes]) => [name, bytes.length] as const);
  const packed = await compress(new Blob(files.map(([, bytes]) => bytes as BlobPart)));
  const { source = '', target = '' } = model.languages ?? {};
  const facts = { title, source, target, files: names, bytes: packed.length };
  const parts: Readonly<Record<string, string>> = {
    TITLE: escaped(title || 'heddle'),
    STYLE: pageStyle,
    FACTS: JSON.stringify(facts).replaceAll('<', '\\u003c'),
    MODEL: encodeBase85(packed),
    TRANSLATOR: scripts.text,
    START: scripts.start,
  };
  const text = page.replace(/(?:\/\* )?__([A-Z_]+?)__(?: \*\/)?/g, (_, name: string) => parts[name] ?? '');
  const bytes = new TextEncoder().encode(text);
  check(
    bytes.length <= maxBytes,
    msg`the file would have ${bytes.length} bytes, more than ${maxBytes}; use a smaller model${dtype === 'int8' ? '' : ', or dtype int8'}`,
    { area: 'save: html' },
  );
  return bytes;
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`);

async function compress(blob: Blob): Promise<Uint8Array> {
  const stream = blob.stream().pipeThrough(new CompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
