// Loads folders of Marian: a model file (.npz or .bin) with model.yml inside, decoder.yml, and one or two
// vocabularies: SentencePiece models, or YAML beside SentencePiece models as in OPUS-MT; and the folders of
// Firefox's models, whose files may be gzipped.

import { check, HeddleError, withArea } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import { present } from '../../../core/present.ts';
import type { Files } from '../../../files/files.ts';
import { gunzip } from '../../../files/gzip.ts';
import type { Json } from '../../../files/json-files.ts';
import type { DescribedModel, SavedModel, SourceCheckpoint } from '../../../formats/shared/saved-model.ts';
import { parameterList } from '../../../model/parameters.ts';
import { SentencePieceTokenizer } from '../../../text/sentencepiece/sentencepiece-tokenizer.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { readMarianBin } from './marian-bin.ts';
import { marianIds, readMarianConfig, readMarianRules } from './marian-config.ts';
import { isModelFile, isShortlistName, isVocabulary, withoutGz } from './marian-folder.ts';
import type { MarianFile } from './marian-items.ts';
import { weightsFromMarian } from './marian-tensors.ts';
import { parseYaml, type Yaml } from './marian-yaml.ts';
import { readNpz } from './npz.ts';
import { isYamlVocabulary, parseYamlVocabulary } from './yaml-vocabulary.ts';

/** The field `format` of a source checkpoint of Marian. */
export const marianFormat = 'marian-nmt';

/** Where the files of a model are in a folder. */
interface MarianFolder {
  /** Name of the model file. */
  readonly model: string;
  /** Names of the vocabularies of source and target; the same if they share one. */
  readonly vocabs: readonly [string, string];
  /** Names of the SentencePiece models that split texts, if the vocabularies are not SentencePiece models. */
  readonly pieces?: readonly [string, string];
  /** Name of the shortlist, if there is one. */
  readonly shortlist?: string;
  readonly decoder: Yaml | undefined;
}

/** A file of a folder, unpacked if its name ends in .gz. */
async function readFile(files: Files, folder: string, name: string): Promise<Uint8Array> {
  const path = `${folder}/${name}`;
  for (const each of name.endsWith('.gz') ? [path] : [path, `${path}.gz`])
    if (await files.exists(each)) {
      const bytes = await files.read(each);
      return each.endsWith('.gz') ? gunzip(bytes, each) : bytes;
    }
  throw new HeddleError(msg`there is no ${name}`, { area: folder, kind: 'not-found' });
}

/** The files that decoder.yml names, or those with the names of Firefox's models. */
async function filesOf(files: Files, folder: string): Promise<MarianFolder> {
  const names = await files.list(folder);
  const path = `${folder}/decoder.yml`;
  const decoder = names.includes('decoder.yml')
    ? parseYaml(new TextDecoder().decode(await files.read(path)), path)
    : undefined;
  const named = (key: string): string[] => {
    const value = decoder?.[key];
    const list = value === undefined || value === '' ? [] : [value].flat().map(String);
    const outside = list.find((name) => name.replace(/^\.\//, '').includes('/'));
    check(outside === undefined, msg`${key} names ${outside}, which is not in the folder`, { area: path });
    return list.map((name) => name.replace(/^\.\//, ''));
  };
  const models = named('models');
  check(models.length <= 1, msg`an ensemble of ${models.length} models; load each from a folder of its own`, {
    area: path,
  });
  const plain = names.filter(isModelFile);
  // The file with the multipliers of inputs, which Firefox downloads, is the last choice of those in a folder.
  const found = plain.find((name) => !/intgemm|int8/.test(name)) ?? plain[0];
  const model = models[0] ?? found;
  if (model === undefined)
    throw new HeddleError('there is no model*.npz and no model*.bin', { area: folder });
  const vocabs = named('vocabs');
  const spm = names.filter(isVocabulary);
  const side = (start: string) =>
    spm.find((name) => name.startsWith(start)) ?? spm.find((name) => name.startsWith('vocab'));
  const [source, target] =
    vocabs.length > 0 ? [vocabs[0], vocabs.at(-1)] : [side('srcvocab'), side('trgvocab')];
  if (source === undefined || target === undefined)
    throw new HeddleError('there is no vocab*.spm, and not both srcvocab*.spm and trgvocab*.spm', {
      area: folder,
      kind: 'not-found',
    });
  const pieces = isYamlVocabulary(source) ? piecesOf(names, folder, source) : undefined;
  const shortlist = names.find(isShortlistName);
  return { model, vocabs: [source, target], pieces, shortlist, decoder };
}

/** The SentencePiece models of both sides beside vocabularies in YAML. */
function piecesOf(names: readonly string[], folder: string, vocab: string): [string, string] {
  const all = names.filter((name) => withoutGz(name).endsWith('.spm'));
  const side = (start: string) => all.find((name) => name.startsWith(start)) ?? all[0];
  const [source, target] = [side('source'), side('target')];
  if (source === undefined || target === undefined)
    throw new HeddleError(
      msg`there is no source.spm and no target.spm, which split texts into the tokens of ${vocab}`,
      { area: folder, kind: 'not-found' },
    );
  return [source, target];
}

/** Reads a model file by its name. Throws a HeddleError that names it. */
export const readMarianFile = async (bytes: Uint8Array, path: string): Promise<MarianFile> =>
  withoutGz(path).endsWith('.npz') ? readNpz(bytes, path) : readMarianBin(bytes, path);

/**
 * The tokenizer of a vocabulary, whose ids are Marian's. `pieces`: the SentencePiece model beside a vocabulary in
 * YAML.
 */
function readVocabulary(file: Uint8Array, path: string, size: number, pieces?: Uint8Array): Tokenizer {
  check(
    pieces !== undefined || withoutGz(path).endsWith('.spm'),
    'only vocabularies in SentencePiece (.spm) and YAML (.yml) are supported',
    { area: path },
  );
  const vocab = pieces && parseYamlVocabulary(file, path);
  const options = { file: pieces ?? file, name: path, special: marianIds, vocab, size };
  const tokenizer = withArea(path, () => new SentencePieceTokenizer(options), ['vocab.json']);
  const names = [tokenizer.token(marianIds.end), tokenizer.token(marianIds.unknown)];
  check(
    names[0] === '</s>' && names[1] === '<unk>',
    msg`its first tokens are ${listed(names, ' and ')}; Marian has </s> and <unk> there`,
    { area: path },
  );
  check(tokenizer.size === size, msg`it has ${tokenizer.size} tokens, the model ${size}`, { area: path });
  return tokenizer;
}

/**
 * Loads a folder. Throws a HeddleError that names the file, and the option or tensor that is invalid or not
 * supported. `model`: name of the model file, if not the one of decoder.yml.
 */
export async function loadMarian(files: Files, folder: string, given?: string): Promise<SavedModel> {
  const { model: named, vocabs, pieces, shortlist, decoder } = await filesOf(files, folder);
  const model = given ?? named;
  const path = `${folder}/${model}`;
  const file = await readMarianFile(await readFile(files, folder, model), path);
  const own: Record<string, Uint8Array> = {};
  for (const name of new Set(present([...vocabs, ...(pieces ?? []), shortlist])))
    own[withoutGz(name)] = await readFile(files, folder, name);
  if (decoder) own['decoder.yml'] = await files.read(`${folder}/decoder.yml`);
  const origin: MarianOrigin = {
    format: marianFormat,
    yaml: file.yaml,
    vocabs: vocabs.map(withoutGz),
    pieces: pieces?.map(withoutGz),
    shortlist: shortlist && withoutGz(shortlist),
    oldOutput: file.tensors.has('decoder_ff_logit_out_W'),
    order: [...file.tensors.keys()],
    multipliers: Object.fromEntries(file.multipliers),
  };
  const yamlPath = `${path}: model.yml`;
  const { config, oldOutput } = readMarianConfig(parseYaml(file.yaml, yamlPath), file.tensors, yamlPath);
  const weights = weightsFromMarian(config, parameterList(config), file.tensors, path, oldOutput);
  return { ...marianModel(origin, own, config, folder), weights };
}

/** What a source checkpoint of Marian keeps of the folder beside the files. */
export interface MarianOrigin {
  readonly format: typeof marianFormat;
  /** model.yml. */
  readonly yaml: string;
  /** Names of the vocabularies of source and target. */
  readonly vocabs: readonly string[];
  /** Names of the SentencePiece models beside vocabularies in YAML. */
  readonly pieces?: readonly string[];
  /** Name of the shortlist, if the folder has one. */
  readonly shortlist?: string;
  /** Whether the output matrix is stored as [d, V]. */
  readonly oldOutput: boolean;
  /** The names of the tensors in the order of the file. */
  readonly order: readonly string[];
  /** Multipliers of the inputs of int8 products by name; empty if the file has none. */
  readonly multipliers: Readonly<Record<string, number>>;
}

/** A model without its weights from its configuration and files. */
export function marianModel(
  origin: MarianOrigin,
  own: Readonly<Record<string, Uint8Array>>,
  config: SavedModel['config'],
  folder: string,
): Omit<SavedModel, 'weights'> {
  const { vocabs, pieces } = origin;
  const find = (name: string): Uint8Array => {
    const file = own[name];
    if (!file) throw new HeddleError(msg`there is no ${name}`, { area: folder, kind: 'not-found' });
    return file;
  };
  const read = (side: 0 | 1, size: number) => {
    const name = vocabs[side] ?? '';
    return readVocabulary(find(name), `${folder}/${name}`, size, pieces && find(pieces[side] ?? ''));
  };
  const source = read(0, config.srcVocab);
  const isShared = vocabs[0] === vocabs[1] && pieces?.[0] === pieces?.[1];
  const target = isShared ? source : read(1, config.tgtVocab);
  const yaml = own['decoder.yml'];
  const path = `${folder}/decoder.yml`;
  const rules = readMarianRules(yaml && parseYaml(new TextDecoder().decode(yaml), path), path);
  const { beams: _, ...decode } = rules;
  const sourceCheckpoint: SourceCheckpoint = {
    config: { marian: origin },
    prefix: '',
    dtype: 'F32',
    dtypes: {},
    aliases: [],
    files: own,
  };
  return { config, source, target, decode, sourceCheckpoint };
}

/** Whether the `config` of a source checkpoint is one of Marian. */
export function marianOriginIn(config: unknown): MarianOrigin | undefined {
  const { marian } = Object(config) as { marian?: MarianOrigin };
  return marian?.format === marianFormat ? marian : undefined;
}

/** Reads the source checkpoint of a model that was saved in another format. */
export async function readMarianOrigin(
  files: Files,
  folder: string,
  json: Json,
  config: SavedModel['config'],
): Promise<DescribedModel> {
  const origin = marianOriginIn(json.config);
  const list = (value: unknown): value is string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string' && !/[/\\]/.test(name));
  const { pieces = [], shortlist } = origin ?? {};
  const lists = present([shortlist]);
  if (
    !origin ||
    typeof origin.yaml !== 'string' ||
    !list(origin.vocabs) ||
    !list(origin.order) ||
    !list(pieces) ||
    !list(lists)
  )
    throw new HeddleError('the field origin is invalid', { area: `${folder}/config.json` });
  const own: Record<string, Uint8Array> = {};
  for (const name of new Set([...origin.vocabs, ...pieces, ...lists, 'decoder.yml']))
    if (await files.exists(`${folder}/${name}`)) own[name] = await files.read(`${folder}/${name}`);
  return marianModel(origin, own, config, folder);
}
