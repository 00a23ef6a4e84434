// What a model in the browser may be called.

/** Whether a text can be a model's name: letters, digits, `-`, `_`, `.` and single spaces, 60 at most, neither end a dot or space. */
export const isModelName = (text: string): boolean =>
  text.length <= 60 && /^[\p{L}\p{N}_-]+(?:[ .][\p{L}\p{N}_-]+)*$/u.test(text);
