// SPDX-License-Identifier: MIT

package front

import "strings"

// options is what the front end must know of nft's command line.
type options struct {
	file        string // of -f
	stdin       bool   // -f - or -f /dev/stdin
	interactive bool
	json        bool
	debug       bool
	optimize    bool
	command     int      // index of the first argument that is no option
	defines     []string // of -D: "name=value"
	paths       []string // of -I
}

// nft's options that take a value, and the long names of those that matter here.
const valued = "fDId"

var longOptions = map[string]byte{
	"file": 'f', "define": 'D', "includepath": 'I', "debug": 'd',
	"interactive": 'i', "json": 'j', "optimize": 'o',
	"help": 'h', "version": 'v', "check": 'c', "handle": 'a', "stateless": 's', "terse": 't',
	"service": 'S', "reversedns": 'N', "guid": 'u', "numeric": 'n', "numeric-priority": 'y',
	"numeric-protocol": 'p', "numeric-time": 'T', "echo": 'e',
}

// readOptions reads nft's arguments the way getopt_long does, up to the first that
// is no option: nft refuses options after its commands.
func readOptions(args []string) options {
	var o options
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			o.command = i + 1
			return o
		case strings.HasPrefix(a, "--"):
			name, value, has := strings.Cut(a[2:], "=")
			c := longOption(name)
			if strings.IndexByte(valued, c) >= 0 && !has && i+1 < len(args) {
				i++
				value = args[i]
			}
			o.set(c, value)
		case len(a) > 1 && a[0] == '-':
			for j := 1; j < len(a); j++ {
				if strings.IndexByte(valued, a[j]) < 0 {
					o.set(a[j], "")
					continue
				}
				value := a[j+1:]
				if value == "" && i+1 < len(args) {
					i++
					value = args[i]
				}
				o.set(a[j], value)
				break
			}
		default:
			o.command = i
			return o
		}
	}
	o.command = len(args)
	return o
}

// longOption returns the letter of a long option or of an unambiguous beginning
// of one, 0 if there is none.
func longOption(name string) byte {
	if c, ok := longOptions[name]; ok {
		return c
	}
	var found byte
	for long, c := range longOptions {
		if strings.HasPrefix(long, name) {
			if found != 0 {
				return 0
			}
			found = c
		}
	}
	return found
}

func (o *options) set(c byte, value string) {
	switch c {
	case 'f':
		o.file, o.stdin = value, value == "-" || value == "/dev/stdin"
	case 'D':
		o.defines = append(o.defines, value)
	case 'I':
		o.paths = append(o.paths, value)
	case 'i':
		o.interactive = true
	case 'j':
		o.json = true
	case 'd':
		o.debug = true
	case 'o':
		o.optimize = true
	}
}

// talks reports whether nft reads commands one by one, of args: it does not where
// it is given any.
func (o *options) talks(args []string) bool {
	return o.interactive && o.file == "" && o.command == len(args)
}
