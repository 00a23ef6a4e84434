// The codes that the `intl` corpus draws from: ISO regions, languages and currencies, and the units that ECMA-402 sanctions.

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Regions (ISO 3166) that a sentence can name without an article in English. */
export const plainRegions = words(`
  AD AF AL AM AO AR AT AU AZ BA BD BE BG BH BO BR BW BY CA CH CL CM CN CO CR CU CY CZ DE DK DZ EC EE EG ES ET FI FR GE GH GR GT
  HN HR HT HU ID IE IL IN IQ IR IS IT JM JO JP KE KH KP KR KW KZ LA LB LK LT LU LV LY MA MC MD ME MG MK ML MN MT MX MY MZ NA NE
  NG NI NO NP NZ OM PA PE PK PL PT PY QA RO RS RU RW SA SD SE SG SI SK SN SO SV SY TH TN TR TW TZ UA UG UY UZ VE VN YE ZA ZM ZW`);

/** All regions of the corpus. */
export const regions = [...plainRegions, ...words('AE BS CF DO GB GL NL PF PH PR US')];

/** Languages (ISO 639). */
export const languages = words(`
  af am ar az be bg bn bs ca cs cy da de el en eo es et eu fa fi fr ga gl gn gu ha he hi hr hu hy id is it ja ka kk km ko ku la lo
  lt lv mk mn ms mt my ne nl no pa pl ps pt qu ro ru sk sl so sq sr sv sw ta te th tl tr uk ur uz vi yo zh zu`);

/** Currencies (ISO 4217) with the most decimals that an amount of them is drawn with. */
export const currencies: ReadonlyMap<string, 0 | 2> = new Map([
  ...words(
    'ARS AUD BRL CAD CHF CNY COP CZK DKK EGP EUR GBP INR MXN NOK NZD PEN PLN RUB SEK THB TRY UAH USD UYU ZAR',
  ).map((code): [string, 2] => [code, 2]),
  ...words('CLP HUF JPY KRW').map((code): [string, 0] => [code, 0]),
]);

/** Currencies that are also written with their symbol. */
export const symbolCurrencies = words('EUR GBP JPY USD');

/** Units by what they measure, for sentences that need one sort. */
export const units = {
  mass: words('gram kilogram ounce pound'),
  length: words('millimeter centimeter meter kilometer inch foot yard mile'),
  volume: words('milliliter liter gallon'),
  temperature: words('celsius fahrenheit'),
  speed: words('kilometer-per-hour mile-per-hour meter-per-second'),
  area: words('hectare acre'),
  data: words('byte kilobyte megabyte gigabyte terabyte'),
  share: words('percent'),
} as const;

/** Units of time, longest first, as durations are built from. */
export const timeUnits = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;

/** A unit of time. */
export type TimeUnit = (typeof timeUnits)[number];
