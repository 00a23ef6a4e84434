// Where this user's caches lie: what can be made again, and may be deleted at any time.
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The path of a file of heddle's in the user's cache folder; HEDDLE_CACHE names another folder. */
export function cachePath(name: string): string {
  const { HEDDLE_CACHE, XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (HEDDLE_CACHE) return join(HEDDLE_CACHE, name);
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'heddle', name);
  if (process.platform === 'win32' && LOCALAPPDATA) return join(LOCALAPPDATA, 'heddle', name);
  return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'heddle', name);
}
