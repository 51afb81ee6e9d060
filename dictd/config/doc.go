// SPDX-License-Identifier: MIT

// Package config reads the daemon's configuration, a TOML file of few keys, all
// of which have defaults.
//
// It refuses a key it does not know, with its line, and a value that cannot
// work, with what would.
package config
