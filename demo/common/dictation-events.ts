// What the microphone of a page tells the text field beside it.

/** What a dictation tells. */
export interface DictationEvents {
  onText(text: string): void;
  /** A message for the visitor; empty: nothing is wrong any more. */
  onProblem(text: string): void;
}
