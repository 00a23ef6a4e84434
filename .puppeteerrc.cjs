// The system's Chrome is used (scripts/setup.mjs finds or installs it), so installing never downloads a browser.
module.exports = { skipDownload: true };
