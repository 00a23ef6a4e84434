// Samples of the microphone between the messages that bring them and the call that reads them.

/** A stream of samples: pieces are pushed at one end and read at the other. */
export class SampleQueue implements AsyncIterable<Float32Array> {
  readonly #pieces: Float32Array[] = [];
  #isEnded = false;
  #wake: () => void = () => undefined;

  push(piece: Float32Array): void {
    this.#pieces.push(piece);
    this.#wake();
  }

  end(): void {
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Float32Array, void> {
    for (;;) {
      const piece = this.#pieces.shift();
      if (piece) yield piece;
      else if (this.#isEnded) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
