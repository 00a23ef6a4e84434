// Manifests of clips in the forms that are in use.
import { expect, it } from 'vitest';
import { clipsOf, readClips } from '../../../src/features/speech/load-clips.ts';
import { memoryFiles } from '../../../src/files/memory-files.ts';
import { errorAbout } from '../../support/expect-error.ts';

const files = async (texts: Record<string, string>) => {
  const all = memoryFiles();
  for (const [name, text] of Object.entries(texts)) await all.write(name, new TextEncoder().encode(text));
  return all;
};
const read = async (texts: Record<string, string>, path: string) =>
  (await clipsOf({ files: [path] }, await files(texts))).map(({ source, target }) => [source, target]);

it('reads lines of path, tab, text', async () => {
  expect(
    await read({ 'd/a.tsv': 'clips/1.wav\tone  two\n\nclips/2.wav\t\nclips/3.wav\tthree\n' }, 'd/a.tsv'),
  ).toEqual([
    ['d/clips/1.wav', 'one two'],
    ['d/clips/3.wav', 'three'],
  ]);
});

it("reads Common Voice's TSV, whose clips are converted in the folder clips", async () => {
  const manifest = 'client_id\tpath\tsentence_id\tsentence\tup_votes\nx\tcv_1.mp3\t9\tHello there.\t2\n';
  expect(await read({ 'cv/validated.tsv': manifest, 'cv/clips/cv_1.wav': '' }, 'cv')).toEqual([
    ['cv/clips/cv_1.wav', 'Hello there.'],
  ]);
});

it("reads LJSpeech's metadata, with the normalized text", async () => {
  const manifest = 'LJ001-0001|In 1465, "x"|In fourteen sixty-five, "x"\nLJ001-0002|In being|\n';
  expect(
    await read({ 'lj/metadata.csv': manifest, 'lj/wavs/LJ001-0001.wav': '' }, 'lj/metadata.csv'),
  ).toEqual([
    ['lj/wavs/LJ001-0001.wav', 'In fourteen sixty-five, "x"'],
    ['lj/wavs/LJ001-0002.wav', 'In being'],
  ]);
});

it("reads CSV and JSON lines of Hugging Face's audio folders and of NeMo", async () => {
  const csv = 'file_name,transcription\n"a,b.wav","say ""hi"""\n';
  expect(await read({ 'h/metadata.csv': csv }, 'h/')).toEqual([['h/a,b.wav', 'say "hi"']]);
  const jsonl =
    '{"audio_filepath":"/x/1.wav","duration":1,"text":"one"}\n{"audio":{"path":"2.wav"},"sentence":"two"}\n';
  expect(await read({ 'n/manifest.jsonl': jsonl }, 'n')).toEqual([
    ['/x/1.wav', 'one'],
    ['n/2.wav', 'two'],
  ]);
});

it('reads named columns, and names those that are missing', async () => {
  const all = await files({ 'a.csv': 'wave,said\n1.wav,one\n' });
  const columns = { files: ['a.csv'], sourceColumn: 'wave', targetColumn: 'said' };
  expect(await clipsOf(columns, all)).toEqual([{ source: '1.wav', target: 'one' }]);
  await expect(clipsOf({ ...columns, targetColumn: 'text' }, all)).rejects.toThrow(
    errorAbout({ area: 'a.csv', values: ['text', 'wave', 'said'] }),
  );
});

it('holds out texts, whoever speaks them', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => `${i}.wav\ttext ${i % 20}\n`).join('');
  const all = await files({ 'a.tsv': lines });
  const { train, dev, test } = await readClips({ train: { files: ['a.tsv'] } }, { dev: 0.3 }, all);
  expect([train.length + dev.length, test.length, dev.length % 3]).toEqual([60, 0, 0]);
  expect(dev.length).toBeGreaterThan(0);
  const texts = new Set(train.map(({ target }) => target));
  expect(dev.filter(({ target }) => texts.has(target))).toEqual([]);
});

it('names a manifest without clips, and lines that are no JSON', async () => {
  await expect(read({ 'a.tsv': 'no tab\n' }, 'a.tsv')).rejects.toThrow(errorAbout({ area: 'a.tsv' }));
  await expect(read({ 'a.jsonl': '{}\nx\n' }, 'a.jsonl')).rejects.toThrow(
    errorAbout({ area: 'a.jsonl', values: [2] }),
  );
});
