// The events of a session: what any job, training or model reports while it works.

/** Event of any job. */
export type SessionEvent =
  | { readonly type: 'message'; readonly text: string }
  /**
   * Something failed, and the job continues. `unsaved`: it is a checkpoint that was not saved. `slower`: the steps of a
   * training take `times` as long as at its start.
   */
  | {
      readonly type: 'warning';
      readonly text: string;
      readonly unsaved?: boolean;
      readonly slower?: { readonly times: number };
    }
  /** The next piece of a streamed result. */
  | { readonly type: 'piece'; readonly text: string }
  /** The next part of a result that comes in parts; plain JSON. */
  | { readonly type: 'result'; readonly value: unknown }
  | {
      readonly type: 'progress';
      readonly task: string;
      readonly done: number;
      readonly total: number;
      readonly text: string;
    };
