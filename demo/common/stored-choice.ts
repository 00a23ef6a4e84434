// Small choices of the visitor in localStorage, which may be blocked: then a choice holds until the page closes.

/** The stored choice under a key; undefined if there is none. */
export function storedChoice(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Stores a choice, if the browser allows it. */
export function storeChoice(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // localStorage is blocked.
  }
}
