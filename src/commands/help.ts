// The help of commands with many flags: those that matter first, by what one wants to do, and the others by topic:
// `heddle train --help`, `heddle train --help data`, `heddle train --help all`.

import type { Command } from 'commander';
import type { RunKind } from '../train/settings/run-defaults.ts';

/** What the help of a command shows. */
export interface CommandHelp {
  /** Headings, each with the long names of its flags, of the first help. */
  readonly first: Readonly<Record<string, readonly string[]>>;
  /** Topics, each with the headings of its flags. */
  readonly topics: Readonly<Record<string, readonly string[]>>;
  /** What the help says besides its flags; `kind`: of the training at hand. */
  text?(topic: string | undefined, kind: RunKind): string;
  /** Describes the defaults of a training of a kind. */
  describeDefaults?(command: Command, kind: RunKind): void;
}

/** Whether the words of a command line ask for help. */
const asksForHelp = (words: readonly string[]): boolean =>
  words.some((word, i) => (word === '--help' || word === '-h') && !words.slice(0, i).includes('--'));

/** The topic after `--help`, if the command has it. */
function topicIn(words: readonly string[], { topics }: CommandHelp): string | undefined {
  const next = words[words.findIndex((word) => word === '--help' || word === '-h') + 1];
  return next === 'all' || (next !== undefined && Object.hasOwn(topics, next)) ? next : undefined;
}

/** The value of a flag of a command line. */
const valueAfter = (words: readonly string[], flag: string): string | undefined => {
  const at = words.findIndex((word) => word === flag || word.startsWith(`${flag}=`));
  if (at < 0) return undefined;
  return words[at]?.includes('=') ? words[at].split('=')[1] : words[at + 1];
};

const isPairFile = /\.(?:tsv|csv|jsonl|tmx|xliff?|xlf|po|mo|txt)(?:\.gz)?$/i;

/** The kind of a training, by the words of its command line. */
export function kindOf(words: readonly string[]): RunKind {
  const corpus = valueAfter(words, '--corpus');
  if (/^speech-/.test(valueAfter(words, '--preset') ?? '')) return 'frames';
  if (valueAfter(words, '--preset') === 'keras') return 'keras';
  if (!['xavier', 'truncated-normal', undefined].includes(valueAfter(words, '--init'))) return 'fineTune';
  if (corpus !== undefined) return corpus === 'intl' ? corpus : corpus === 'read-line' ? 'images' : 'task';
  const hasPairs =
    words[1]?.startsWith('-') === false ||
    words.some((word) => ['--source', '--data'].includes(word) || isPairFile.test(word));
  return hasPairs ? 'pairs' : 'intl';
}

/** Hides the flags of a command that its help does not show, if the command line asks for help. */
export function chooseHelp(command: Command, help: CommandHelp, words: readonly string[]): void {
  if (!asksForHelp(words)) return;
  const topic = topicIn(words, help);
  const kind = kindOf(words);
  help.describeDefaults?.(command, kind);
  const headings = topic === undefined || topic === 'all' ? undefined : help.topics[topic];
  const first = Object.entries(help.first).flatMap(([heading, flags]) =>
    flags.map((flag) => ({ heading, flag })),
  );
  for (const option of command.options) {
    const place = first.find(({ flag }) => flag === option.long);
    if (topic === undefined && place) option.helpGroup(`${place.heading}:`);
    else if (
      topic === undefined ||
      (headings && !headings.includes((option.helpGroupHeading ?? 'Options:').slice(0, -1)))
    )
      option.hideHelp();
  }
  if (topic === undefined) {
    const order = (long: string | null | undefined) => {
      const at = first.findIndex(({ flag }) => flag === long);
      return at < 0 ? first.length : at;
    };
    (command.options as (typeof command.options)[number][]).sort((a, b) => order(a.long) - order(b.long));
  }
  const more = ['all', ...Object.keys(help.topics)].filter((name) => name !== topic);
  command.addHelpText('after', () =>
    [help.text?.(topic, kind) ?? '', `More: heddle ${command.name()} --help ${more.reverse().join(' | ')}`]
      .filter((part) => part !== '')
      .map((part) => `\n${part}`)
      .join('\n'),
  );
}
