// The name of the GPU adapter, the same in the header, the list of runs and messages.

/** The adapter in the name of a backend, which begins with its host: `chrome google swiftshader`. */
export const adapterOf = (backend: string): string => backend.replace(/^(?:chrome|firefox|deno|dawn) /, '');
