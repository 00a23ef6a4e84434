// The Unicode script of characters: https://www.unicode.org/reports/tr24/.

/** Codes of scripts (ISO 15924), frequent ones first. */
// biome-ignore format: a line for each code is too long
const codes = [
  'Zyyy', 'Latn', 'Zinh', 'Cyrl', 'Hani', 'Hira', 'Kana', 'Arab', 'Hang', 'Grek', 'Hebr', 'Deva', 'Thai',
  'Beng', 'Taml', 'Telu', 'Knda', 'Mlym', 'Gujr', 'Guru', 'Orya', 'Sinh', 'Laoo', 'Tibt', 'Mymr', 'Geor',
  'Ethi', 'Khmr', 'Armn', 'Mong', 'Cher', 'Cans', 'Syrc', 'Thaa', 'Bopo', 'Yiii', 'Brai', 'Copt', 'Goth',
  'Runr', 'Ogam', 'Glag', 'Tfng', 'Nkoo', 'Bali', 'Sund', 'Java', 'Lana', 'Cham', 'Lepc', 'Limb', 'Tale',
  'Talu', 'Bugi', 'Buhd', 'Hano', 'Tagb', 'Tglg', 'Sylo', 'Saur', 'Kali', 'Rjng', 'Lisu', 'Vaii', 'Bamu',
  'Olck', 'Mtei', 'Phag', 'Cari', 'Lyci', 'Lydi', 'Xsux', 'Egyp', 'Hluw', 'Linb', 'Cprt', 'Phnx', 'Armi',
  'Avst', 'Phli', 'Prti', 'Sarb', 'Samr', 'Mand', 'Orkh', 'Ital', 'Osma', 'Shaw', 'Dsrt', 'Brah', 'Kthi',
  'Cakm', 'Shrd', 'Takr', 'Mroo', 'Tang', 'Nshu', 'Adlm', 'Rohg', 'Osge', 'Newa', 'Modi', 'Sidd', 'Gran',
  'Mahj',
];

/** Tests of scripts that this JavaScript engine knows. */
const tests = codes.flatMap((code): [string, RegExp][] => {
  try {
    return [[code, new RegExp(`^\\p{Script=${code}}$`, 'u')]];
  } catch {
    return [];
  }
});

/** Number of a script for characters of none of the scripts above. */
const other = tests.length;

const known = new Uint8Array(0x10000); // 0: not looked up yet; else the number of the script + 1
const knownAstral = new Map<number, number>();

/** Number of the script of a code point; characters of rare scripts share one number. */
export function scriptOf(codePoint: number): number {
  const cached = codePoint < 0x10000 ? (known[codePoint] as number) : (knownAstral.get(codePoint) ?? 0);
  if (cached > 0) return cached - 1;
  const character = String.fromCodePoint(codePoint);
  const found = tests.findIndex(([, test]) => test.test(character));
  const script = found < 0 ? other : found;
  if (codePoint < 0x10000) known[codePoint] = script + 1;
  else knownAstral.set(codePoint, script + 1);
  return script;
}

/** The number of a script by its code; -1 if it is not in the list. */
export const scriptNumber = (code: string): number => tests.findIndex(([name]) => name === code);
