// The words of TER, as tercom's tokenizer makes them.

/** Options of TER. The defaults are those of sacreBLEU. */
export interface TerOptions {
  /** Whether to ignore case. Default true. */
  readonly lowercase?: boolean;
  /** Whether to split punctuation from words. Default false: words are separated by whitespace. */
  readonly normalize?: boolean;
  /** Whether punctuation counts. Default true. */
  readonly punctuation?: boolean;
  /**
   * With `normalize`: whether to split Chinese and Japanese characters. Without `punctuation`: whether their punctuation
   * is left out, too. Default false.
   */
  readonly asian?: boolean;
}

const asianPunctuation = /([\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb])/g;
const fullWidthPunctuation = /([\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09])/g;

/** Rules of tercom's normalizer for all languages and Western ones, in order. */
const westernRules: readonly (readonly [RegExp, string])[] = [
  [/\n-/g, ''],
  [/\n/g, ' '],
  [/&quot;/g, '"'],
  [/&amp;/g, '&'],
  [/&lt;/g, '<'],
  [/&gt;/g, '>'],
  [/^|$/g, ' '],
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  [/'s /g, " 's "],
  [/'s$/g, " 's"],
  [/([^0-9])([.,])/g, '$1 $2 '],
  [/([.,])([^0-9])/g, ' $1 $2'],
  [/([0-9])(-)/g, '$1 $2 '],
];

/** Rules for Chinese and Japanese. Kana are split only as a whole text, as in sacreBLEU. */
const asianRules: readonly (readonly [RegExp, string])[] = [
  [/([\u4e00-\u9fff\u3400-\u4dbf])/g, ' $1 '],
  [/([\u31c0-\u31ef\u2e80-\u2eff])/g, ' $1 '],
  [/([\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f])/g, ' $1 '],
  [/([\u3200-\u3f22])/g, ' $1 '],
  [/(^|^[\u3040-\u309f])([\u3040-\u309f]+)(?=$|^[\u3040-\u309f])/g, '$1 $2 '],
  [/(^|^[\u30a0-\u30ff])([\u30a0-\u30ff]+)(?=$|^[\u30a0-\u30ff])/g, '$1 $2 '],
  [/(^|^[\u31f0-\u31ff])([\u31f0-\u31ff]+)(?=$|^[\u31f0-\u31ff])/g, '$1 $2 '],
  [asianPunctuation, ' $1 '],
  [fullWidthPunctuation, ' $1 '],
];

/** A text as tercom's tokenizer makes it. */
export function tokenized(
  text: string,
  { lowercase, normalize, punctuation, asian }: Required<TerOptions>,
): string {
  let line = lowercase ? text.toLowerCase() : text;
  const apply = (rules: readonly (readonly [RegExp, string])[]) => {
    for (const [pattern, by] of rules) line = line.replace(pattern, by);
  };
  if (normalize) apply(asian ? [...westernRules, ...asianRules] : westernRules);
  if (!punctuation)
    apply([
      [/[.,?:;!"()]/g, ''],
      ...(asian
        ? ([
            [asianPunctuation, ''],
            [fullWidthPunctuation, ''],
          ] as const)
        : []),
    ]);
  return line;
}
