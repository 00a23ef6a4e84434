// Splits what a compiler prints, which comes in chunks of any length, before each announcement of a kernel.

/** Start of the line that announces a kernel. */
const mark = '@@ ';

/** The text of one kernel at a time: NVIDIA's compiler prints gigabytes. */
export class PrintedParts {
  /** The last announcement and what follows, but for a line whose end has not come. */
  #part: string[] = [];
  #line = '';

  /** Takes a chunk; returns the parts of kernels that end in it. */
  add(chunk: string): string[] {
    const text = `${this.#line}${chunk}`;
    const end = text.lastIndexOf('\n') + 1;
    this.#line = text.slice(end);
    const ended: string[] = [];
    for (const piece of text.slice(0, end).split(/^(?=@@ )/m)) {
      if (piece.startsWith(mark)) ended.push(this.rest());
      this.#part.push(piece);
    }
    return ended.filter((part) => part.startsWith(mark));
  }

  /** What has no end yet. */
  rest(): string {
    return this.#part.splice(0).join('').replaceAll('\r\n', '\n');
  }
}
