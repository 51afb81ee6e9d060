// SPDX-License-Identifier: MIT

package front_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"nftdict/dict"
	"nftdict/nftext/front"
)

// Run nft on the program's own arguments, in nft's place.
func ExampleCommand_Run() {
	var terms front.Codec // of the dictionaries in use
	c := front.Command{
		Args:  os.Args[1:],
		Codec: terms,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
	}
	exit, err := c.Run(context.Background())
	if errors.Is(err, dict.ErrNotSupported) {
		fmt.Fprintln(os.Stderr, "this machine cannot run nft with dict rules:", err)
	}
	os.Exit(exit)
}
