// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, `usage: manpage NAME SECTION DATE "WHAT IT IS" FILE.md`)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
		fmt.Fprintln(os.Stderr, "manpage:", err)
		os.Exit(1)
	}
}

func run(name, section, date, about, file string) error {
	src, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	page, err := Page{Name: name, Section: section, Date: date, About: about}.Convert(string(src))
	if err != nil {
		return fmt.Errorf("%s:%w", file, err)
	}
	_, err = os.Stdout.Write(page)
	return err
}
