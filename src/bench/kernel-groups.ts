// Groups of kernels, by what they compute.

export const kernelGroups = ['products', 'attention', 'rows', 'elements', 'decoding'] as const;
export type KernelGroup = (typeof kernelGroups)[number];
