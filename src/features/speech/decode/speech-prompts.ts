// The prompts of speech models, and the rules of their decoding.

import { HeddleError } from '../../../core/errors.ts';
import { listed, msg } from '../../../core/message.ts';
import type { ModelConfig } from '../../../model/model-config.ts';
import type { TokenRestrictions } from '../ops/restrict-tokens.ts';
import { firstStampOf, type SpeechFacts } from './speech-facts.ts';

/** What to do with speech. */
export interface SpeechTask {
  /** Code, token or name of the language. Default: that of the files, else the detected one. */
  readonly language?: string;
  /** `transcribe` writes what is said, `translate` in English. Default: that of the files, else `otherTask`. */
  readonly task?: 'transcribe' | 'translate';
  /** Task of a detected language if nothing states one; null: none, as in transformers. [transcribe] */
  readonly otherTask?: 'transcribe' | null;
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
export function languageToken({ languages }: Pick<SpeechFacts, 'languages'>, language: string): number {
  const code = languageCode([...languages.keys()], language);
  const id = code === undefined ? undefined : languages.get(code);
  if (id === undefined)
    throw new HeddleError(
      msg`language is '${language}', the model has ${listed([...languages.keys()].slice(0, 20))}${languages.size > 20 ? msg` and ${languages.size - 20} more` : ''}`,
      { area: 'transcribe' },
    );
  return id;
}

/** The code of a language that is given by code, token or English name; undefined if it is not among `codes`. */
export function languageCode(codes: readonly string[], language: string): string | undefined {
  const wanted = language
    .trim()
    .toLowerCase()
    .replace(/^<\||\|>$/g, '');
  return (
    codes.find((known) => known === wanted) ??
    codes.find((known) => known === otherNames[wanted]) ??
    codes.find((known) => namesOf(known).includes(wanted))
  );
}

/** The tokens of a prompt that count: those of the files only if neither they nor the call state a language or a task. */
function forcedTokens(
  { multilingual, tasks, forced, languages, ...files }: SpeechFacts,
  { language = files.language, task = files.task }: Pick<SpeechTask, 'language' | 'task'>,
) {
  const isStated = language !== undefined || task !== undefined;
  const counted = isStated || !multilingual ? [] : forced;
  const known = new Set(languages.values());
  return {
    language,
    task,
    languageId: counted.find((id) => known.has(id)),
    taskId: counted.find((id) => id === tasks.transcribe || id === tasks.translate),
  };
}

/** Language and task of a prompt. Throws a HeddleError for those that the model does not have. */
function taskTokens(speech: SpeechFacts, given: SpeechTask): number[] {
  const { multilingual, tasks } = speech;
  if (!multilingual) {
    if (given.language !== undefined || given.task !== undefined)
      throw new HeddleError(
        msg`${given.language === undefined ? 'task' : 'language'} is set, but the model is for English only; leave it out`,
        { area: 'transcribe' },
      );
    return [];
  }
  const { language, task, languageId, taskId } = forcedTokens(speech, given);
  const spoken = language === undefined ? (languageId ?? given.detected) : languageToken(speech, language);
  if (spoken === undefined)
    throw new HeddleError('the language of the model is unknown; state it', { area: 'transcribe' });
  const { otherTask = 'transcribe' } = given;
  const isBare = otherTask === null && language === undefined && task === undefined && taskId === undefined;
  if (isBare) return [spoken];
  const wanted = task === undefined ? (taskId ?? tasks.transcribe) : tasks[task];
  if (wanted === undefined)
    throw new HeddleError(msg`the model has no token for ${task ?? 'transcribe'}`, { area: 'transcribe' });
  return [spoken, wanted];
}

/** The language and task of a prompt if a call states neither, as fields of generation_config.json. */
export function forcedFields(speech: SpeechFacts): { readonly language?: string; readonly task?: string } {
  const { language, task, languageId, taskId } = forcedTokens(speech, {});
  const code = [...speech.languages].find(([, id]) => id === languageId)?.[0];
  const forced =
    taskId === undefined ? undefined : taskId === speech.tasks.translate ? 'translate' : 'transcribe';
  return { language: language ?? code, task: task ?? forced };
}

/** Whether a task needs the language that the model detects. */
export function needsDetection(speech: SpeechFacts, given: Pick<SpeechTask, 'language' | 'task'>): boolean {
  const { language, languageId } = forcedTokens(speech, given);
  return speech.multilingual && language === undefined && languageId === undefined;
}

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
