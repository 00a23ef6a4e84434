// Imports from the main house into a guest that are still to be turned round by a seam. The list only shrinks.
export const guestEdges: readonly string[] = [];
