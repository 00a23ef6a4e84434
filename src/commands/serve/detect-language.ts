// Guesses the language of a text among those of the models: by its script, then by common words.

/** Scripts of languages that are not written in Latin letters. */
const scripts: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\p{Script=Hiragana}|\p{Script=Katakana}/u, ['ja']],
  [/\p{Script=Hangul}/u, ['ko']],
  [/\p{Script=Han}/u, ['zh', 'ja']],
  [/\p{Script=Arabic}/u, ['ar', 'fa', 'ur']],
  [/\p{Script=Hebrew}/u, ['he']],
  [/\p{Script=Greek}/u, ['el']],
  [/\p{Script=Devanagari}/u, ['hi', 'mr', 'ne']],
  [/\p{Script=Thai}/u, ['th']],
  [/\p{Script=Cyrillic}/u, ['ru', 'uk', 'bg', 'sr', 'mk', 'be']],
];

/** Common words by language. */
const words: Readonly<Record<string, string>> = {
  en: 'the and of to in is you that it he was for on are with as i his they at be this have from or had by not but what all were we when your can said there',
  es: 'el la de que y en un una los las por con no su para es se lo como más pero sus le ya o este sí porque esta entre cuando muy está yo qué dónde',
  fr: 'le la les de des et en un une du que qui dans ce il elle pour pas sur se plus par je avec tout est au aux vous nous mais ou où',
  de: 'der die das und in zu den von ist mit sich des auf für nicht ein eine als auch es an werden aus er hat dass sie nach wird bei ich wir wie',
  it: 'il la di che e in un una per è non sono con le si da come anche ma più i del della lo gli ha nel dove questo io',
  pt: 'o a de que e do da em um uma para com não os as no na se por mais dos como mas ao ele das tem à seu sua ou eu você',
  nl: 'de het een en van in is dat op te zijn met voor niet aan er om ook als dan maar bij of uit nog ik je waar',
  ca: 'el la de que i en un una els les per amb no és se del al com més però on jo aquest',
  sv: 'och i att det som en på är av för den med till inte om ett har jag de var',
  da: 'og i at det er en på som af for den med til ikke de har jeg der var et',
  pl: 'i w na z się nie do jest to że jak o co za ale po jego tak czy',
  cs: 'a se v na je že o do s z to jako za by ale si po jsem',
  ro: 'și de în la cu pe un o că nu este din care pentru mai ce sunt',
  tr: 've bir bu da de için ile çok ne mi o ben var daha gibi',
  fi: 'ja on ei se että hän en oli mutta niin kun joka ovat minä',
  hu: 'a az és hogy nem is egy ez van meg de mint csak',
  uk: 'і в не на що я з у це як та до ви але він',
  ru: 'и в не на что я с он как это по но они к у ты из',
};

const primary = (code: string): string => code.toLowerCase().split(/[-_]/)[0] ?? '';

/** The guesses among `languages`, best first, with a confidence in percent. */
export function detectLanguages(
  text: string,
  languages: readonly string[],
): { readonly language: string; readonly confidence: number }[] {
  const sample = text.slice(0, 4000);
  const tokens = sample.toLowerCase().match(/\p{L}+/gu) ?? [];
  const written = scripts.find(([script]) => script.test(sample))?.[1];
  const scores = languages.map((language) => {
    const code = primary(language);
    const own = new Set(words[code]?.split(' '));
    const share = tokens.length === 0 ? 0 : tokens.filter((token) => own.has(token)).length / tokens.length;
    const isScript = written?.includes(code) ?? false;
    if (written) return { language, score: isScript ? 1 + share + (written[0] === code ? 0.1 : 0) : 0 };
    return { language, score: scripts.some(([, codes]) => codes.includes(code)) ? 0 : share + 0.01 };
  });
  const total = scores.reduce((n, { score }) => n + score, 0);
  return scores
    .map(({ language, score }) => ({
      language,
      confidence: total === 0 ? 0 : Math.round((100 * score) / total),
    }))
    .sort((a, b) => b.confidence - a.confidence);
}
