// Choosing the next token of each row, for vocabularies that are multiples of 4; lib/next-token.wgsl and what it names have it all.
// include lib/next-token.wgsl
// include lib/best-tokens.wgsl
// include lib/sample-token.wgsl
// include lib/cell-4.wgsl
