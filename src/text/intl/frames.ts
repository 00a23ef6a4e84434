// Sentences with places to fill, in the languages that have them, and a frame of bare punctuation for all others. A frame is used
// only where both languages say it, so a language leaves out what its grammar would bend around the name (French `en`, `au`, `aux`).

/** What a sentence's place is filled with. */
export type Slot =
  | 'date'
  | 'weekday'
  | 'time'
  | 'past'
  | 'future'
  | 'span'
  | 'flight'
  | 'mass'
  | 'length'
  | 'volume'
  | 'temperature'
  | 'speed'
  | 'money'
  | 'region'
  | 'regions'
  | 'language'
  | 'languages';

/** The frames that need no language: `{region}: {money}`. */
export const plainFrames = [
  '{region}: {money}',
  '{region}: {languages}',
  '{date}: {region}',
  '{weekday}: {span}',
  '{mass}: {money}',
  '{region} ({language})',
  '{time} - {region}',
] as const;

/**
 * The sentences by language. Spanish says `a las` before every hour but one, so times in frames never have that hour (`a la 1:30`).
 * The order of a frame's places may differ between languages, their names may not.
 */
export const frames: Record<string, Record<string, string>> = {
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
