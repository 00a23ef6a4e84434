// Placeholders for what a translation copies: names, numbers and times that both sides of a pair share. The page puts
// the same placeholders into a text (demo/translate/worker/prepared-text.ts).

/** Placeholders by kind, in the order of their use; the tokenizer of the model has a token for each. */
export const copyPlaceholders = {
  name: ['\ue100', '\ue101', '\ue102'],
  number: ['\ue103', '\ue104', '\ue105'],
  time: ['\ue106', '\ue107'],
};

const part =
  /(?<![\p{L}\p{N}])(?:(?<time>\d{1,2}:\d\d)|(?<number>\d[\d.,]*\d|\d)|(?<name>\p{Lu}\p{Ll}{2,}))(?![\p{L}\p{N}])/gu;

/** The pair with placeholders for the names, numbers and times that occur once on each side. */
export function withCopies([source, target]) {
  const free = {
    name: [...copyPlaceholders.name],
    number: [...copyPlaceholders.number],
    time: [...copyPlaceholders.time],
  };
  let [from, to] = [source, target];
  const once = (text, value) =>
    text.split(new RegExp(`(?<![\\p{L}\\p{N}])${value.replace(/[.]/g, '\\.')}(?![\\p{L}\\p{N}])`, 'u'))
      .length === 2;
  for (const { 0: value, groups } of source.matchAll(part)) {
    const kind = groups.time ? 'time' : groups.number ? 'number' : 'name';
    if (!once(source, value) || !once(target, value)) continue;
    const placeholder = free[kind].shift();
    if (!placeholder) continue;
    const whole = new RegExp(`(?<![\\p{L}\\p{N}])${value.replace(/[.]/g, '\\.')}(?![\\p{L}\\p{N}])`, 'u');
    from = from.replace(whole, placeholder);
    to = to.replace(whole, placeholder);
  }
  return [from, to];
}
