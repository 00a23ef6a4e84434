// Bytes as text in an HTML file: four bytes are five characters, none of which has a meaning in HTML or JavaScript.
// Base64 would be 7 % longer.

/** 85 printable ASCII characters without `"`, `&`, `'`, `<`, `>`, `\` and `` ` ``. */
const alphabet = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  .filter((each) => !'"&\'<>\\`'.includes(each))
  .slice(0, 85)
  .join('');

/** The text of some bytes; `decodeBase85` needs their number. */
export function encodeBase85(bytes: Uint8Array): string {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  const text = new Uint8Array((padded.length / 4) * 5);
  for (let word = 0; word * 4 < padded.length; word++) {
    let rest = view.getUint32(word * 4);
    for (let digit = 4; digit >= 0; digit--) {
      text[word * 5 + digit] = alphabet.charCodeAt(rest % 85);
      rest = Math.floor(rest / 85);
    }
  }
  return new TextDecoder().decode(text);
}

/** The bytes of a text of `encodeBase85`. */
export function decodeBase85(text: string, length: number): Uint8Array<ArrayBuffer> {
  const digits = new Uint8Array(128);
  for (let i = 0; i < 85; i++) digits[alphabet.charCodeAt(i)] = i;
  const view = new DataView(new ArrayBuffer(Math.ceil(length / 4) * 4));
  for (let word = 0; word * 4 < length; word++) {
    let value = 0;
    for (let digit = 0; digit < 5; digit++)
      value = value * 85 + (digits[text.charCodeAt(word * 5 + digit)] ?? 0);
    view.setUint32(word * 4, value);
  }
  return new Uint8Array(view.buffer, 0, length);
}
