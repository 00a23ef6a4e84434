// Data of the `intl` corpus: ISO codes, units, and sentence templates by language. A template is used only if
// both languages have it, so a language omits sentences whose grammar would change around a name (French
// `en`, `au`, `aux`).

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

/** Currencies (ISO 4217) with the maximum number of decimals of an amount. */
export const currencies: ReadonlyMap<string, 0 | 2> = new Map([
  ...words(
    'ARS AUD BRL CAD CHF CNY COP CZK DKK EGP EUR GBP INR MXN NOK NZD PEN PLN RUB SEK THB TRY UAH USD UYU ZAR',
  ).map((code): [string, 2] => [code, 2]),
  ...words('CLP HUF JPY KRW').map((code): [string, 0] => [code, 0]),
]);

/** Currencies that are also written with their symbol. */
export const symbolCurrencies = words('EUR GBP JPY USD');

/** Units by quantity. */
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

/** Units of time in durations, longest first. */
export const timeUnits = ['year', 'month', 'week', 'day', 'hour', 'minute', 'second'] as const;

/** A unit of time. */
export type TimeUnit = (typeof timeUnits)[number];

/** Templates without words: `{region}: {money}`. */
export const plainTemplates = [
  '{region}: {money}',
  '{region}: {languages}',
  '{date}: {region}',
  '{weekday}: {span}',
  '{mass}: {money}',
  '{region} ({language})',
  '{time} - {region}',
] as const;

/**
 * Sentence templates by language. Placeholders of a sentence have the same names in every language, in any
 * order. Spanish has `a las` before every hour except one (`a la 1:30`), so times in sentences never have
 * that hour.
 */
export const sentenceTemplates: Record<string, Record<string, string>> = {
  en: {
    meeting: 'The meeting is on {weekday} at {time}.',
    shop: 'The shop opens at {time} and closes at {time2}.',
    course: 'The course lasts {span} and costs {money}.',
    arrived: 'We arrived {past}.',
    leave: 'They will leave {future}.',
    contract: 'The contract ends on {date}.',
    weight: 'The package weighs {mass}.',
    height: 'The tree is {length} tall.',
    water: 'We need {volume} of water.',
    price: 'The price rose from {money} to {money2}.',
    speaks: 'She speaks {languages}.',
    speak: 'Do you speak {language}?',
    train: 'The train to {region} leaves at {time}.',
    flight: 'The flight from {region} to {region2} takes {flight}.',
    born: 'He was born in {region} on {date}.',
    travel: 'We will travel to {region} {future}.',
    weather: 'The temperature in {region} is {temperature}.',
    learned: 'I learned {language} in {region}.',
    wind: 'The wind reaches {speed}.',
    sent: 'We sent {mass} of coffee to {region} {past}.',
    visited: 'We visited {regions}.',
  },
  es: {
    meeting: 'La reunión es el {weekday} a las {time}.',
    shop: 'La tienda abre a las {time} y cierra a las {time2}.',
    course: 'El curso dura {span} y cuesta {money}.',
    arrived: 'Llegamos {past}.',
    leave: 'Se irán {future}.',
    contract: 'El contrato termina el {date}.',
    weight: 'El paquete pesa {mass}.',
    height: 'El árbol mide {length}.',
    water: 'Necesitamos {volume} de agua.',
    price: 'El precio subió de {money} a {money2}.',
    speaks: 'Ella habla {languages}.',
    speak: '¿Hablas {language}?',
    train: 'El tren a {region} sale a las {time}.',
    flight: 'El vuelo de {region} a {region2} dura {flight}.',
    born: 'Nació en {region} el {date}.',
    travel: 'Viajaremos a {region} {future}.',
    weather: 'La temperatura en {region} es de {temperature}.',
    learned: 'Aprendí {language} en {region}.',
    wind: 'El viento alcanza {speed}.',
    sent: 'Enviamos {mass} de café a {region} {past}.',
    visited: 'Visitamos {regions}.',
  },
  de: {
    meeting: 'Das Treffen ist am {weekday} um {time}.',
    shop: 'Der Laden öffnet um {time} und schließt um {time2}.',
    arrived: 'Wir sind {past} angekommen.',
    leave: 'Sie werden {future} abreisen.',
    contract: 'Der Vertrag endet am {date}.',
    weight: 'Das Paket wiegt {mass}.',
    water: 'Wir brauchen {volume} Wasser.',
    price: 'Der Preis stieg von {money} auf {money2}.',
    speaks: 'Sie spricht {languages}.',
    speak: 'Sprichst du {language}?',
  },
  fr: {
    meeting: 'La réunion a lieu le {weekday} à {time}.',
    shop: 'Le magasin ouvre à {time} et ferme à {time2}.',
    course: 'Le cours dure {span} et coûte {money}.',
    arrived: 'Nous sommes arrivés {past}.',
    leave: 'Ils partiront {future}.',
    contract: 'Le contrat se termine le {date}.',
    weight: 'Le colis pèse {mass}.',
    water: 'Il nous faut {volume} d’eau.',
    price: 'Le prix est passé de {money} à {money2}.',
    speaks: 'Elle parle {languages}.',
    speak: 'Parlez-vous {language} ?',
  },
  pt: {
    shop: 'A loja abre às {time} e fecha às {time2}.',
    course: 'O curso dura {span} e custa {money}.',
    arrived: 'Chegamos {past}.',
    contract: 'O contrato termina em {date}.',
    weight: 'O pacote pesa {mass}.',
    water: 'Precisamos de {volume} de água.',
    price: 'O preço subiu de {money} para {money2}.',
    speaks: 'Ela fala {languages}.',
    speak: 'Você fala {language}?',
  },
  it: {
    shop: 'Il negozio apre alle {time} e chiude alle {time2}.',
    course: 'Il corso dura {span} e costa {money}.',
    arrived: 'Siamo arrivati {past}.',
    leave: 'Partiranno {future}.',
    weight: 'Il pacco pesa {mass}.',
    price: 'Il prezzo è salito da {money} a {money2}.',
    speaks: 'Lei parla {languages}.',
    speak: 'Parli {language}?',
  },
};
