// The system's Chrome is used (scripts/install.mjs finds or installs it), so installing never downloads a
// browser.
module.exports = { skipDownload: true };
