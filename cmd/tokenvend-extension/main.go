// Command tokenvend-extension is a Lambda extension that gives a function
// tokens on localhost. make layer packs it as a layer.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/tokenvend/tokenvend/pkg/agent/extension"
)

func main() {
	if err := extension.Run(context.Background(), extension.This()); err != nil {
		fmt.Fprintln(os.Stderr, "tokenvend-extension:", err)
		os.Exit(1)
	}
}
