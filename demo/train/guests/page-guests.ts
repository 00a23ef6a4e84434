// The table of what guests add to the page Train itself: a row for each guest, whose code is loaded when it is needed.

/** What a guest adds. */
interface PageGuest {
  /** The picture of a text that a model has read. */
  readonly picture?: () => Promise<(text: string) => HTMLElement>;
}

const speech: PageGuest = {
  picture: async () => (await import('./line-picture.ts')).linePicture,
};

const guests: readonly PageGuest[] = [speech];

/** What all guests add. */
export const pageGuests: PageGuest = Object.assign({}, ...guests);
