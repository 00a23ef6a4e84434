// An empty stub: transformers.js imports this package in Node, and heddle runs onnxruntime-web instead.
module.exports = {};
