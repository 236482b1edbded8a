// Command layer writes a Lambda layer with the extension.
//
//	go run ./internal/layer PROGRAM ZIP
package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: layer PROGRAM ZIP")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "layer:", err)
		os.Exit(1)
	}
}

// member is the extension in the layer: Lambda starts what is in extensions/,
// and the file's name is that of the extension (AWS Lambda Developer Guide,
// "Configuring Lambda extensions").
const member = "extensions/tokenvend-extension"

func write(from, to string) error {
	program, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	packed, err := pack(program)
	if err != nil {
		return err
	}
	return os.WriteFile(to, packed, 0o644)
}

// pack returns the layer's zip. The same program gives the same bytes: no time
// is written.
func pack(program []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: member, Method: zip.Deflate}
	header.SetMode(0o755)
	file, err := w.CreateHeader(header)
	if err == nil {
		_, err = file.Write(program)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}
