// Corpora of clips: manifests that name a recording and its text on each line, in the forms that are in use. A pair
// has the path of the clip as its source.

import { check, HeddleError } from '../../core/errors.ts';
import { listed, msg } from '../../core/message.ts';
import { type Files, withoutEndSlash, withSlashes } from '../../files/files.ts';
import { maxLines, readInputText } from '../../files/read-input.ts';
import { normalizeText } from '../../text/corpus/normalize-text.ts';
import { type CorpusFiles, lineFormatOf, type PairFiles, pathsOf } from '../../text/corpus/pair-files.ts';
import { linesOf, parseCsv } from '../../text/corpus/pair-records.ts';
import { type HeldOut, type Pair, type Split, splitPairs } from '../../text/corpus/pairs.ts';

/** Columns with the path of a clip, and with its text: Common Voice, Hugging Face, NeMo, DeepSpeech, ... */
const pathColumns = [
  'path',
  'audio',
  'file',
  'file_name',
  'filename',
  'audio_filepath',
  'audio_path',
  'wav',
  'wav_filename',
  'clip',
];
const textColumns = ['sentence', 'text', 'transcription', 'transcript', 'normalized_text'];

/** Manifests that a folder may have, in the order in which they are looked for. */
const manifestNames = ['metadata', 'manifest', 'clips', 'train', 'validated', 'all'].flatMap((name) =>
  ['tsv', 'csv', 'jsonl', 'json'].map((ending) => `${name}.${ending}`),
);

/** Folders, from that of the manifest, in which clips are looked for. */
const clipFolders = ['', 'clips/', 'wavs/', 'wav/', 'audio/'];

/** A recording, as the manifest names it, and its text. */
type Entry = readonly [clip: string, text: string];

/** Reads the clips of a corpus and splits them by their texts; see `heldOutParts` for the fractions. */
export async function readClips(corpus: CorpusFiles, split: HeldOut, files: Files): Promise<Split> {
  const { train, dev, test } = corpus;
  const all = await clipsOf(train, files);
  // No text of the training is in another set, whoever speaks it.
  const turn = ({ source, target }: Pair): Pair => ({ source: target, target: source });
  const sets = splitPairs(all.map(turn), split);
  return {
    train: sets.train.map(turn),
    dev: dev ? await clipsOf(dev, files) : sets.dev.map(turn),
    test: test ? await clipsOf(test, files) : sets.test.map(turn),
  };
}

/** The clips of manifests or of folders with one: path and text. Throws a HeddleError that names the file. */
export async function clipsOf(given: PairFiles, files: Files): Promise<Pair[]> {
  check(!given.source, 'clips are named in a manifest, not in parallel files', { area: 'train' });
  const pairs: Pair[] = [];
  for (const path of pathsOf(given)) {
    check(path !== '-', 'a manifest of clips cannot be read from stdin; give its path', { area: 'train' });
    const manifest = await manifestOf(path, files);
    const entries = await readManifest(manifest, given, files);
    check(
      entries.length > 0,
      'no clip with a text; each line of a manifest is the path of a WAV file, a tab and its text',
      { area: manifest },
    );
    const locate = await clipPaths(folderOf(manifest), entries, files);
    for (const [clip, text] of entries) pairs.push({ source: locate(clip), target: text });
  }
  return pairs;
}

/** The folders of manifests: paths of clips in a fingerprint start after them, so that a corpus can be moved. */
export const clipRoots = (given: PairFiles | undefined): string[] =>
  given ? pathsOf(given).flatMap((path) => [path, folderOf(path)]) : [];

const folderOf = (path: string): string => path.slice(0, withSlashes(path).replace(/\/?[^/]*$/, '').length);

/** The manifest at a path: the file itself, or that of a folder. */
async function manifestOf(path: string, files: Files): Promise<string> {
  if (/\.(?:tsv|csv|jsonl|ndjson|json|txt)$/i.test(path)) return path;
  const folder = withoutEndSlash(path);
  for (const name of manifestNames) if (await files.exists(`${folder}/${name}`)) return `${folder}/${name}`;
  return path;
}

/** The entries of a manifest; lines without a path or a text are left out. */
async function readManifest(path: string, given: PairFiles, files: Files): Promise<Entry[]> {
  const text = (await readInputText(files, path, maxLines)).replace(/^\ufeff/, '');
  const lines = linesOf(text).filter((line) => line.trim() !== '');
  const rows = await rowsOf(path, text, lines, given);
  const trimmed = rows.map(([clip = '', spoken = '']): Entry => [clip.trim(), normalizeText(spoken)]);
  return trimmed.filter(([clip, spoken]) => clip !== '' && spoken !== '');
}

async function rowsOf(
  path: string,
  text: string,
  lines: readonly string[],
  { format: wanted, sourceColumn, targetColumn }: PairFiles,
): Promise<(readonly string[])[]> {
  const format = lineFormatOf(path, wanted);
  const columns = {
    clip: sourceColumn ? [sourceColumn] : pathColumns,
    text: targetColumn ? [targetColumn] : textColumns,
  };
  if (format === 'jsonl') return jsonRows(path, text, lines, columns);
  // LJSpeech: id|text|normalized text, without a header.
  const piped = lines.length > 0 && lines.every((line) => line.includes('|') && !line.includes('\t'));
  const cells = piped
    ? lines.map((line) => line.split('|'))
    : format === 'csv'
      ? await parseCsv(text, path)
      : lines.map((line) => line.split('\t'));
  const head = (cells[0] ?? []).map((cell) => cell.trim().toLowerCase());
  const find = (names: readonly string[]) =>
    names.map((name) => head.indexOf(name.toLowerCase())).find((at) => at >= 0) ?? -1;
  const [clip, spoken] = [find(columns.clip), find(columns.text)];
  if (clip >= 0 && spoken >= 0) return cells.slice(1).map((row) => [row[clip] ?? '', row[spoken] ?? '']);
  const missing: string[] = [];
  if (clip < 0 && sourceColumn) missing.push(sourceColumn);
  if (spoken < 0 && targetColumn) missing.push(targetColumn);
  if (missing.length > 0)
    throw new HeddleError(msg`no column ${listed(missing, ' and ')} in its header: ${listed(head)}`, {
      area: path,
    });
  if (piped)
    return cells.map((row) => [row[0] ?? '', row.slice(1).findLast((cell) => cell.trim() !== '') ?? '']);
  return cells.map((row) => [row[0] ?? '', row[1] ?? '']);
}

/** Rows of JSON lines, or of one JSON list. */
function jsonRows(
  path: string,
  text: string,
  lines: readonly string[],
  columns: Readonly<Record<'clip' | 'text', readonly string[]>>,
): (readonly string[])[] {
  const parse = (json: string, line: number): unknown => {
    try {
      return JSON.parse(json);
    } catch {
      throw new HeddleError(msg`line ${line} is not JSON`, { area: path });
    }
  };
  const whole = text.trimStart().startsWith('[') ? parse(text, 1) : undefined;
  const records: unknown[] = Array.isArray(whole) ? whole : lines.map((line, i) => parse(line, i + 1));
  return records.map((record) => {
    const value = (names: readonly string[]): string => {
      for (const name of names) {
        let found: unknown = record;
        for (const key of name.split('.'))
          found = (found as Record<string, unknown> | null | undefined)?.[key];
        // Hugging Face's datasets: audio is { path }.
        if (found && typeof found === 'object' && 'path' in found) found = found.path;
        if (typeof found === 'string') return found;
      }
      return '';
    };
    return [value(columns.clip), value(columns.text)];
  });
}

/** How the clips of a manifest are found: in which folder, and with which ending. */
async function clipPaths(
  folder: string,
  entries: readonly Entry[],
  files: Files,
): Promise<(clip: string) => string> {
  const start = folder === '' ? '' : `${folder}/`;
  const endings: readonly ((clip: string) => string)[] = [
    (clip) => clip,
    (clip) => `${clip}.wav`,
    (clip) => `${clip.replace(/\.\w+$/, '')}.wav`, // Common Voice has MP3 files: convert them beside
  ];
  const isAbsolute = (clip: string) => /^(?:[a-z]:)?\//i.test(withSlashes(clip));
  const ways = endings.flatMap((ending) =>
    clipFolders.map((inner) => (clip: string) => ending(isAbsolute(clip) ? clip : `${start}${inner}${clip}`)),
  );
  const sample = entries.slice(0, 20);
  for (const way of ways) for (const [clip] of sample) if (await files.exists(way(clip))) return way;
  return ways[0] as (clip: string) => string;
}
