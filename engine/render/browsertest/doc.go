// Package browsertest opens the pages and pictures that render and topology
// write in a real browser, clicks, and looks at what is shown. It needs
// Chromium, so its tests have the build tag browser: make test-browser.
//
// Place in the flow: none; it has tests only.
package browsertest
