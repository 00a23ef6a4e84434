// Choosing the next token of each row, for vocabularies of any size.
// include lib/next-token.wgsl
// include lib/best-tokens.wgsl
// include lib/sample-token.wgsl
// include lib/cell-1.wgsl
