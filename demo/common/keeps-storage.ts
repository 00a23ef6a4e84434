// Whether the browser keeps what a page stores.

/** Whether the page may store. A visitor who blocks cookies blocks all storage: localStorage, files and locks. */
export async function keepsStorage(): Promise<boolean> {
  try {
    localStorage.getItem('heddle-theme');
    await navigator.storage.getDirectory();
    return true;
  } catch {
    return false;
  }
}
