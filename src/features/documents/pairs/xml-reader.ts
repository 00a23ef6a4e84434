// Reads XML from a stream without trusting it: no DTD is read, no entity is defined, and depth and size are
// limited. The parser is saxes, the one of jsdom: it is strict, takes chunks, and knows positions, which
// documents need to be written back; fast-xml-parser needs the whole file, and xliff keeps no positions.

import { type SaxesAttributePlain, SaxesParser, type SaxesTagPlain } from 'saxes';
import { HeddleError } from '../../../core/errors.ts';
import { type Message, msg } from '../../../core/message.ts';
import { TextBytesDecoder } from '../text-decoder.ts';

/** Maximum depth of elements. */
const maxDepth = 128;
/** Maximum number of characters of a tag, a text or a comment. */
const maxToken = 2 ** 22;

/** Attributes of an element by name. */
export type XmlAttributes = Readonly<Record<string, string>>;

/** Receives the contents of a file. `at`: offset of the first character after the event. */
export interface XmlHandler {
  open(name: string, attributes: XmlAttributes, at: number, selfClosing: boolean): void;
  close(name: string, at: number): void;
  text(text: string, at: number): void;
}

/** A reader of one file. */
export class XmlReader {
  readonly #name: string;
  readonly #parser: SaxesParser;
  #depth = 0;
  /** Number of characters that were given, and that number at the last event. */
  #given = 0;
  #seen = 0;

  /** `name`: the file in messages. */
  constructor(name: string, handler: XmlHandler) {
    this.#name = name;
    const parser = new SaxesParser({ xmlns: false, position: false }); // errors without the line: `#reject` adds it
    this.#parser = parser;
    const seen = () => {
      this.#seen = parser.position;
    };
    parser.on('error', (error) => this.#reject(msg`${error.message}`));
    parser.on('doctype', (text) => {
      if (text.includes('['))
        this.#reject(
          msg`the document type declares entities, which are not read; write their texts in their places`,
        );
      seen();
    });
    for (const event of ['comment', 'processinginstruction', 'xmldecl'] as const) parser.on(event, seen);
    parser.on('opentag', (tag: SaxesTagPlain) => {
      seen();
      if (++this.#depth > maxDepth) this.#reject(msg`elements are nested more than ${maxDepth} deep`);
      handler.open(tag.name, tag.attributes, parser.position, tag.isSelfClosing);
    });
    parser.on('closetag', (tag) => {
      seen();
      this.#depth--;
      handler.close(tag.name, parser.position);
    });
    const text = (value: string) => {
      seen();
      handler.text(value, parser.position);
    };
    parser.on('text', text);
    parser.on('cdata', text);
    parser.on('attribute', (_: SaxesAttributePlain) => undefined);
  }

  /** Reads a chunk. Throws a HeddleError with the name and the line if it is not well-formed or too large. */
  write(chunk: string): void {
    this.#given += chunk.length;
    this.#parser.write(chunk);
    if (this.#given - this.#seen > maxToken + chunk.length)
      this.#reject(msg`a tag or text has more than ${maxToken} characters`);
  }

  /** Ends the file. Throws as `write` if it is cut off. */
  close(): void {
    this.#parser.close();
  }

  #reject(problem: Message): never {
    throw new HeddleError(msg`line ${this.#parser.line}: not XML: ${problem}`, { area: this.#name });
  }
}

/** The encoding of a file: by its byte-order mark, or by its XML declaration. */
export function encodingOfXml(start: Uint8Array): string {
  const [a, b, c, d] = start;
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (a === 0x3c && b === 0 && c === 0x3f && d === 0) return 'utf-16le';
  if (a === 0 && b === 0x3c && c === 0 && d === 0x3f) return 'utf-16be';
  const head = new TextDecoder('latin1').decode(start.subarray(0, 256));
  return /^(?:\xef\xbb\xbf)?<\?xml[^>]*\bencoding\s*=\s*["']([\w.:-]+)/.exec(head)?.[1] ?? 'utf-8';
}

/** Decodes a file of XML. Throws a HeddleError for an unknown encoding. */
export async function* decodeXml(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<string> {
  let decoder: TextBytesDecoder | undefined;
  for await (const bytes of chunks) {
    decoder ??= new TextBytesDecoder(encodingOfXml(bytes), name);
    yield decoder.decode(bytes, false);
  }
  if (decoder) yield decoder.decode(new Uint8Array());
}
