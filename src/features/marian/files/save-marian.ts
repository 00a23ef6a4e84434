// Saves models as folders of Marian (marian-npz, marian-bin) or of Firefox (firefox, with int8 matrices).

import { check, HeddleError } from '../../../core/errors.ts';
import { type Message, msg, option } from '../../../core/message.ts';
import { present } from '../../../core/present.ts';
import { isObject } from '../../../files/json-files.ts';
import type { FolderParts, OutgoingModel } from '../../../formats/model-format.ts';
import {
  type FieldRequirement,
  requireFields,
  sameFields,
  sharedWidths,
} from '../../../formats/shared/requirements.ts';
import type { SavedModel } from '../../../formats/shared/saved-model.ts';
import { type ModelConfig, stepsAround } from '../../../model/model-config.ts';
import { parameterList } from '../../../model/parameters.ts';
import type { Tokenizer } from '../../../text/tokenizers/tokenizer.ts';
import { type CalibrationText, inputMultipliers } from '../measure-inputs.ts';
import { type MarianOrigin, marianOriginIn } from './load-marian.ts';
import { marianIds } from './marian-config.ts';
import type { MarianItem } from './marian-items.ts';
import { marianItems } from './marian-tensors.ts';
import { modelYaml } from './model-yaml.ts';
import { isShortlist, lexicalEntries, makeShortlist, readShortlist, writeShortlist } from './shortlist.ts';
import { float32Bin, int8Bin, type MarianContents, npzFile } from './write-marian.ts';

/** Marian's own files, as .npz or .bin, and those of Firefox, with int8 matrices. */
export type MarianFormat = 'marian-npz' | 'marian-bin' | 'firefox';

/** Options of a folder of Firefox. */
export interface FirefoxOptions {
  /** Languages in the names of the files, such as `enes`. Default: those of the files that were loaded. */
  readonly languagePair?: string;
  /** Multipliers of the inputs of int8 products by name. Default: those of the file that was loaded. */
  readonly multipliers?: Readonly<Record<string, number>>;
  /**
   * Texts on which the multipliers of the inputs are measured: sources, which are translated first, or pairs.
   * Default: none are measured.
   */
  readonly calibration?: readonly CalibrationText[];
  /**
   * A shortlist file, or a lexical table as text, from which it is made: lines of target token, source token and
   * probability, as in Marian's lex.s2t. Default: the shortlist of the folder that was loaded.
   */
  readonly shortlist?: Uint8Array;
}

/** Fields that Marian's own models have with one value. */
const fixed: Partial<ModelConfig> = {
  normType: 'layer',
  feedForwardType: 'plain',
  biases: true,
  attentionScale: true,
  scaleOutput: false,
  positions: 'marian-sinusoidal',
  scaleEmbedding: true,
  layerNormEps: 1e-6,
  positionOffset: 0,
  padId: marianIds.pad,
  startId: marianIds.start,
  endId: marianIds.end,
};

/** The fields that Marian requires. */
export const marianRequirements = (c: ModelConfig): FieldRequirement[] => [
  ...sameFields(c, fixed),
  ...sharedWidths(c),
  ['decoderHeads', c.decoderHeads, `heads, ${c.heads}`, c.decoderHeads === c.heads],
  [
    'activation',
    c.activation,
    'relu, silu or quick-gelu',
    ['relu', 'silu', 'quick-gelu'].includes(c.activation),
  ],
];

/** What describes a model beside its weights: model.yml, tensor names, vocabularies and decoder.yml. */
interface Described {
  readonly yaml: string;
  readonly oldOutput: boolean;
  readonly order: readonly string[];
  readonly vocabs: readonly string[];
  readonly pieces?: readonly string[];
  readonly shortlist?: string;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly multipliers: Readonly<Record<string, number>>;
}

/** The description of a model that was loaded from a folder of Marian, or a new one. */
function describe(model: SavedModel): Described {
  const { config: c, sourceCheckpoint } = model;
  const origin: MarianOrigin | undefined = marianOriginIn(sourceCheckpoint?.config);
  if (origin && sourceCheckpoint) return { ...origin, files: sourceCheckpoint.files };
  const vocabs =
    model.source === model.target ? ['vocab.spm', 'vocab.spm'] : ['srcvocab.spm', 'trgvocab.spm'];
  const sides = [model.source, model.target].map((side, i) => [vocabs[i] as string, spmOf(side)] as const);
  return {
    yaml: modelYaml(c),
    oldOutput: false,
    order: [],
    vocabs,
    multipliers: {},
    files: Object.fromEntries(sides),
  };
}

/** The SentencePiece file of a tokenizer. Throws a HeddleError if it is of another kind. */
function spmOf(tokenizer: Tokenizer): Uint8Array {
  const json: unknown = JSON.parse(JSON.stringify(tokenizer));
  const model = isObject(json) && isObject(json.model) ? json.model : {};
  if (typeof model.file !== 'string' || (model.vocab !== null && model.vocab !== undefined))
    throw new HeddleError('the tokenizer is not a SentencePiece model; Marian and Firefox use .spm files', {
      area: 'marian',
    });
  return Uint8Array.from(atob(model.file), (c) => c.charCodeAt(0));
}

/** decoder.yml for a model file: the one that was loaded, with the names of these files, or a new one. */
function decoderYaml(
  model: SavedModel,
  old: Uint8Array | undefined,
  name: string,
  vocabs: readonly string[],
): string {
  const lines = (key: string, values: readonly string[]) => [
    `${key}:`,
    ...values.map((value) => `  - ${value}`),
  ];
  const files = [...lines('models', [name]), ...lines('vocabs', vocabs)];
  if (old) {
    const text = new TextDecoder().decode(old).trimEnd().split(/\r?\n/);
    const kept = text.filter((line, i) => {
      const key = text.slice(0, i + 1).findLast((each) => !/^(?:\s|-|#|$)/.test(each));
      return !key?.startsWith('models:') && !key?.startsWith('vocabs:') && line !== 'relative-paths: true';
    });
    return `${['relative-paths: true', ...files, ...kept].join('\n')}\n`;
  }
  const { lengthPenalty, wordPenalty = 0, maxLengthFactor = 2, suppressTokens = [1] } = model.decode ?? {};
  const power = typeof lengthPenalty === 'object' ? lengthPenalty.power : lengthPenalty === 'none' ? 0 : 1;
  const rules = present([
    'beam-size: 4',
    `normalize: ${power}`,
    `word-penalty: ${wordPenalty}`,
    `max-length-factor: ${maxLengthFactor || 3}`,
    'mini-batch: 32',
    'maxi-batch: 100',
    'maxi-batch-sort: src',
    suppressTokens.includes(marianIds.unknown) ? undefined : 'allow-unk: true',
  ]);
  return `${['relative-paths: true', ...files, ...rules].join('\n')}\n`;
}

/**
 * Where the published engine, npm's @browsermt/bergamot-translator, decodes a model otherwise than heddle and the training
 * of Marian do: it normalizes only the queries of self-attention before a sublayer, whatever `version` model.yml has.
 */
export function engineWarnings(c: ModelConfig): Message[] {
  const normsBefore = stepsAround(c).before.includes('norm') && !c.normQueriesOnly;
  return [
    ...(normsBefore
      ? [
          msg`the model has a norm before each sublayer, of keys and values too; the engine of Firefox translates about half of the sentences otherwise, since it normalizes only queries: train a model for it with ${option('normQueriesOnly', true)}, or with ${option('norm', 'post')}`,
        ]
      : []),
    ...(c.decoderFeedForwardDepth === c.feedForwardDepth
      ? []
      : [
          msg`${option('decoderFeedForwardDepth')} is ${c.decoderFeedForwardDepth}, ${option('feedForwardDepth')} is ${c.feedForwardDepth}; the engine of Firefox loads only models in which they are equal`,
        ]),
  ];
}

/** Writes the row of the format; measures the multipliers first if the options have texts for it. */
export async function writeMarian({
  model,
  format,
  options,
  running,
  onWarning,
}: OutgoingModel): Promise<FolderParts> {
  for (const warning of engineWarnings(model.config)) onWarning?.(warning);
  const { calibration, ...given } = options as FirefoxOptions;
  const multipliers = calibration ? await inputMultipliers(running, calibration) : given.multipliers;
  return marianFiles(model, format as MarianFormat, { ...given, multipliers });
}

/**
 * The files of a folder by name. Throws a HeddleError that names the fields that Marian does not support, or
 * the tensor that cannot be int8.
 */
export function marianFiles(
  model: SavedModel,
  format: MarianFormat,
  { languagePair, multipliers, shortlist }: FirefoxOptions = {},
): Record<string, Uint8Array> {
  const { config: c, weights } = model;
  requireFields(format, marianRequirements(c));
  const described = describe(model);
  const { yaml, oldOutput, order, vocabs, pieces = [], files } = described;
  const items = marianItems(c, parameterList(c), weights, oldOutput);
  const tensors = new Map<string, MarianItem>();
  for (const name of [...order.filter((each) => items.has(each)), ...items.keys()])
    tensors.set(name, items.get(name) as MarianItem);
  const contents = { tensors, yaml, multipliers: multipliers ?? described.multipliers };
  const fileOf = (name: string): Uint8Array => files[name] as Uint8Array;
  if (format !== 'firefox') {
    const name = format === 'marian-npz' ? 'model.npz' : 'model.bin';
    const text = decoderYaml(model, files['decoder.yml'], name, vocabs);
    return {
      [name]: format === 'marian-npz' ? npzFile(contents) : float32Bin(contents),
      'decoder.yml': new TextEncoder().encode(text),
      'model.yml': new TextEncoder().encode(yaml),
      ...Object.fromEntries([...new Set([...vocabs, ...pieces])].map((each) => [each, fileOf(each)])),
    };
  }
  check(
    pieces.length === 0,
    msg`the ids of the tokens are those of ${vocabs[0]}; Firefox takes them from SentencePiece models`,
    { area: 'firefox' },
  );
  return firefoxFiles(model, described, contents, languagePair, shortlist);
}

/** The files of a folder of Firefox. */
function firefoxFiles(
  model: SavedModel,
  { vocabs, files, shortlist: loaded }: Described,
  contents: MarianContents,
  languagePair: string | undefined,
  shortlist: Uint8Array | undefined,
): Record<string, Uint8Array> {
  const fileOf = (name: string): Uint8Array => files[name] as Uint8Array;
  const [source = '', target = ''] = vocabs;
  const languages = languagePair ?? /\.([a-z]{4,8})\.spm$/.exec(source)?.[1];
  check(
    languages !== undefined,
    'the languages are part of the names of the files; set languagePair, for example enes',
    { area: 'firefox' },
  );
  const kind = Object.keys(contents.multipliers ?? {}).length > 0 ? 'intgemm.alphas' : 'intgemm8';
  const vocabFiles =
    source === target
      ? { [`vocab.${languages}.spm`]: fileOf(source) }
      : { [`srcvocab.${languages}.spm`]: fileOf(source), [`trgvocab.${languages}.spm`]: fileOf(target) };
  return {
    [`model.${languages}.${kind}.bin`]: int8Bin(contents),
    ...vocabFiles,
    ...shortlistFiles(model, languages, shortlist ?? files[loaded ?? '']),
  };
}

/** The shortlist of a folder; none if nothing is given. */
function shortlistFiles(
  { config, source, target }: SavedModel,
  languages: string,
  given: Uint8Array | undefined,
): Record<string, Uint8Array> {
  if (!given) return {};
  const path = 'the shortlist';
  const sizes = [config.srcVocab, config.tgtVocab] as const;
  const { first, best, ...lists } = isShortlist(given)
    ? readShortlist(given, path, sizes)
    : makeShortlist(lexicalEntries(new TextDecoder().decode(given), path, [source, target]), config.srcVocab);
  const name = `lex.${first}.${best}.${languages}.s2t.bin`;
  return { [name]: isShortlist(given) ? given : writeShortlist({ first, best, ...lists }) };
}
