// The prompts of speech models, and the rules of their decoding.

import { HeddleError } from '../../../core/errors.ts';
import { msg } from '../../../core/message.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import type { TokenRestrictions } from '../ops/restrict-tokens.ts';
import { firstStampOf, type SpeechFacts } from './speech-facts.ts';

/** What to do with speech. */
export interface SpeechTask {
  /** Code, token or name of the language. Default: that of the files, else the detected one. */
  readonly language?: string;
  /** `transcribe` writes what is said, `translate` in English. Default: that of the files, else transcribe. */
  readonly task?: 'transcribe' | 'translate';
  /** Token of the language that the model detects. */
  readonly detected?: number;
  readonly timestamps: boolean;
  /** Tokens of the text before. */
  readonly previous?: readonly number[];
}

/** English names of languages by code, for those whose names people write. */
const namesOf = (code: string): string[] => {
  try {
    const name = new Intl.DisplayNames(['en'], { type: 'language' }).of(code);
    return name ? [name.toLowerCase()] : [];
  } catch {
    return [];
  }
};

/** Names that Whisper's tokenizer has beside those of the standard. */
const otherNames: Readonly<Record<string, string>> = {
  mandarin: 'zh',
  castilian: 'es',
  flemish: 'nl',
  burmese: 'my',
  moldovan: 'ro',
  moldavian: 'ro',
  valencian: 'ca',
  haitian: 'ht',
  letzeburgesch: 'lb',
  pushto: 'ps',
  panjabi: 'pa',
  sinhalese: 'si',
  javanese: 'jw',
  tagalog: 'tl',
  cantonese: 'yue',
  'haitian creole': 'ht',
};

/** The token of a language by code, token or English name. Throws a HeddleError if the model does not have it. */
export function languageToken({ languages }: SpeechFacts, language: string): number {
  const wanted = language
    .trim()
    .toLowerCase()
    .replace(/^<\||\|>$/g, '');
  const code =
    [...languages.keys()].find((known) => known === wanted) ??
    [...languages.keys()].find((known) => known === otherNames[wanted]) ??
    [...languages.keys()].find((known) => namesOf(known).includes(wanted));
  const id = code === undefined ? undefined : languages.get(code);
  if (id === undefined)
    throw new HeddleError(
      msg`language is '${language}', the model has ${[...languages.keys()].slice(0, 20).join(', ')}${languages.size > 20 ? ` and ${languages.size - 20} more` : ''}`,
      { area: 'transcribe' },
    );
  return id;
}

/** Language and task of a prompt. Throws a HeddleError for those that the model does not have. */
function taskTokens(speech: SpeechFacts, { language, task, detected }: SpeechTask): number[] {
  const { multilingual, tasks, forced, languages } = speech;
  if (!multilingual) {
    if (language !== undefined || task !== undefined)
      throw new HeddleError(
        msg`${language === undefined ? 'task' : 'language'} is set, but the model is for English only; leave it out`,
        { area: 'transcribe' },
      );
    return [];
  }
  const known = new Set(languages.values());
  const own = forced.find((id) => known.has(id)) ?? detected;
  const spoken = language === undefined ? own : languageToken(speech, language);
  if (spoken === undefined)
    throw new HeddleError('the language of the model is unknown; state it', { area: 'transcribe' });
  const forcedTask = forced.find((id) => id === tasks.transcribe || id === tasks.translate);
  const wanted = task === undefined ? (forcedTask ?? tasks.transcribe) : tasks[task];
  if (wanted === undefined)
    throw new HeddleError(msg`the model has no token for ${task ?? 'transcribe'}`, { area: 'transcribe' });
  return [spoken, wanted];
}

/** Whether a task needs the language that the model detects. */
export const needsDetection = (speech: SpeechFacts, { language }: Pick<SpeechTask, 'language'>): boolean =>
  speech.multilingual &&
  language === undefined &&
  !speech.forced.some((id) => [...speech.languages.values()].includes(id));

/** The tokens that decoding starts from. */
export function promptOf(speech: SpeechFacts, c: ModelConfig, task: SpeechTask): number[] {
  const { previous, noTimestamps } = speech;
  const before = task.previous?.length && previous !== undefined ? [previous, ...task.previous] : [];
  const silent = task.timestamps || noTimestamps === undefined ? [] : [noTimestamps];
  return [...before, c.startId, ...taskTokens(speech, task), ...silent];
}

/** The rules after a prompt of `prompt` tokens. */
export function speechTokenRules(
  speech: SpeechFacts,
  c: ModelConfig,
  prompt: number,
  timestamps: boolean,
): TokenRestrictions {
  const { suppress, suppressFirst, noTimestamps, maxInitialTimestamp, noSpeech } = speech;
  const first = firstStampOf(speech);
  return {
    prompt,
    banned: timestamps && noTimestamps !== undefined ? [...suppress, noTimestamps] : suppress,
    bannedFirst: suppressFirst,
    stamps:
      timestamps && first !== undefined
        ? { first, end: c.endId, maxInitial: maxInitialTimestamp }
        : undefined,
    watched: noSpeech,
  };
}
