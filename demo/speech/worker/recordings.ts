// Recordings of sentences in the browser's private file system: WAV files in `speech/clips/`, and `speech/clips.tsv`,
// the manifest that `heddle train` reads.

import { msg } from '../../../src/core/message.ts';
import { HeddleError } from '../../../src/entries/heddle.ts';
import type { BrowserFiles } from '../../../src/entries/host.ts';
import { zipParts } from '../../../src/entries/host.ts';
import type { RecordingView } from '../speech-protocol.ts';

const folder = 'speech';
const manifest = `${folder}/clips.tsv`;

/** Bytes of the head of the WAV files, and of a second. */
const [headBytes, secondBytes] = [44, 32_000];

/** The stored recordings. */
export class Recordings {
  readonly #files: BrowserFiles;

  constructor(files: BrowserFiles) {
    this.#files = files;
  }

  /** The recordings in the order in which they were made. */
  async list(): Promise<RecordingView[]> {
    const entries = await this.#entries();
    return Promise.all(
      entries.map(async ([path, text]) => {
        const { length } = await this.#files.read(`${folder}/${path}`);
        return { file: path.replace('clips/', ''), text, seconds: (length - headBytes) / secondBytes };
      }),
    );
  }

  /** Stores a recording; one of the same sentence is replaced. The manifest comes last: it names only whole files. */
  async add(text: string, wav: Uint8Array): Promise<void> {
    const sentence = text.replace(/\s+/g, ' ').trim();
    if (sentence === '') throw new HeddleError(msg`Write the sentence first.`);
    const entries = await this.#entries();
    const number = 1 + Math.max(0, ...entries.map(([path]) => Number.parseInt(path.slice(6), 10)));
    const path = `clips/${String(number).padStart(4, '0')}.wav`;
    await this.#files.write(`${folder}/${path}`, wav);
    const old = entries.filter(([, other]) => other === sentence);
    await this.#write([...entries.filter((entry) => !old.includes(entry)), [path, sentence]]);
    for (const [other] of old) await this.#files.remove(`${folder}/${other}`);
  }

  async sound(file: string): Promise<Uint8Array> {
    return this.#files.read(`${folder}/clips/${file}`);
  }

  async remove(file: string): Promise<void> {
    await this.#write((await this.#entries()).filter(([path]) => path !== `clips/${file}`));
    await this.#files.remove(`${folder}/clips/${file}`);
  }

  /** A zip archive of the manifest and its clips. */
  async archive(): Promise<Blob> {
    const entries = await this.#entries();
    if (entries.length === 0) throw new HeddleError(msg`There are no recordings.`);
    const files: Record<string, Uint8Array> = { 'clips.tsv': await this.#files.read(manifest) };
    for (const [path] of entries) files[path] = await this.#files.read(`${folder}/${path}`);
    return new Blob(zipParts(files) as BlobPart[], { type: 'application/zip' });
  }

  async #entries(): Promise<(readonly [path: string, text: string])[]> {
    if (!(await this.#files.exists(manifest))) return [];
    const lines = new TextDecoder().decode(await this.#files.read(manifest)).split('\n');
    return lines.flatMap((line) => {
      const [path, text] = line.split('\t');
      return path && text ? [[path, text] as const] : [];
    });
  }

  async #write(entries: readonly (readonly [path: string, text: string])[]): Promise<void> {
    const text = entries.map(([path, sentence]) => `${path}\t${sentence}\n`).join('');
    await this.#files.write(manifest, new TextEncoder().encode(text));
  }
}
