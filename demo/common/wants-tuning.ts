// Whether the visitor wants kernels to be tuned: the address may have ?tune=0, since it is slow on a software adapter.

/** Whether kernels are tuned at their first use. */
export const wantsTuning = (): boolean => new URLSearchParams(location.search).get('tune') !== '0';
