// Decodes bytes by the name of their encoding: documents, and pairs in PO, MO and XML files.

import { HeddleError } from '../../core/errors.ts';
import { type Message, msg } from '../../core/message.ts';
import { invalidLine } from '../../files/utf8.ts';

/** Options of `TextBytesDecoder`. */
export interface TextDecoderSettings {
  /** Whether the text keeps its byte-order mark. [false] */
  readonly keepsMark?: boolean;
  /** What the user can do if the bytes are in another encoding. [convert the file] */
  readonly remedy?: Message | string;
}

/** Decodes the bytes of a file, whole or in chunks. Throws a HeddleError for an unknown encoding, and for other bytes. */
export class TextBytesDecoder {
  readonly #decoder: TextDecoder;
  readonly #name: string;
  readonly #remedy: Message | string;
  /** Number of line ends that are decoded. */
  #lines = 0;

  /** @param name of the file, for errors */
  constructor(encoding: string, name: string, settings: TextDecoderSettings = {}) {
    const { keepsMark = false, remedy = 'convert the file to UTF-8' } = settings;
    this.#name = name;
    this.#remedy = remedy;
    try {
      this.#decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: keepsMark });
    } catch (cause) {
      throw new HeddleError(msg`the encoding ${encoding} is unknown; ${remedy}`, { area: name, cause });
    }
  }

  /** Name of the encoding, as the Encoding Standard writes it. */
  get encoding(): string {
    return this.#decoder.encoding;
  }

  #invalidLine(bytes: Uint8Array): number {
    // A chunk may begin within a character: its last bytes are 10xxxxxx.
    const start = this.#lines > 0 ? bytes.findIndex((byte) => byte >> 6 !== 0b10) : 0;
    return invalidLine(bytes.subarray(start), this.#lines + 1);
  }

  /** The text of bytes; `isLast`: whether no more follow, so that a character that is not complete is an error. */
  decode(bytes: Uint8Array, isLast = true): string {
    try {
      const text = this.#decoder.decode(bytes, { stream: !isLast });
      if (!isLast) this.#lines += text.split('\n').length - 1;
      return text;
    } catch (cause) {
      const { encoding } = this;
      const problem =
        encoding === 'utf-8' ? msg`line ${this.#invalidLine(bytes)} is not UTF-8` : msg`not ${encoding} text`;
      throw new HeddleError(msg`${problem}; ${this.#remedy}`, { area: this.#name, cause });
    }
  }
}
