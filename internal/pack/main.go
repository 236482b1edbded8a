// Command pack writes what a deployment without Go and the SAM CLI needs: a
// plain CloudFormation template and a zip of each function.
//
//	go run ./internal/pack bin dist
//
// reads bin/vend/bootstrap and bin/rotate/bootstrap, which make functions
// builds, and writes dist.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pack FOLDER-OF-BINARIES FOLDER-TO-WRITE")
		os.Exit(2)
	}
	expansion, err := testbed.Expansion()
	if err == nil {
		err = write(os.Args[1], os.Args[2], expansion)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

// functions are the functions' names in template.yaml, by their folders.
var functions = map[string]string{"vend": "VendFunction", "rotate": "RotateFunction"}

// write writes the zips and the template that names them.
func write(from, to string, expansion json.RawMessage) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	files := map[string]string{}
	for folder, name := range functions {
		program, err := os.ReadFile(filepath.Join(from, folder, "bootstrap"))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w; make functions builds it", err)
		}
		if err != nil {
			return err
		}
		zipped, err := zipped(program)
		if err != nil {
			return err
		}
		// an update of the stack takes new code only under a new name
		sum := sha256.Sum256(zipped)
		files[name] = folder + "-" + hex.EncodeToString(sum[:6]) + ".zip"
		if err := os.WriteFile(filepath.Join(to, files[name]), zipped, 0o644); err != nil {
			return err
		}
	}
	template, err := packaged(expansion, files)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "template.json"), template, 0o644)
}

// zipped returns a function's package. The same program gives the same bytes.
func zipped(program []byte) ([]byte, error) {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate}
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

type object = map[string]any

// packaged returns the template with the functions' code in a bucket that two
// more parameters name.
func packaged(expansion json.RawMessage, files map[string]string) ([]byte, error) {
	var template struct {
		AWSTemplateFormatVersion string            `json:",omitempty"`
		Description              string            `json:",omitempty"`
		Metadata                 object            `json:",omitempty"`
		Parameters               object            `json:",omitempty"`
		Conditions               object            `json:",omitempty"`
		Resources                map[string]object `json:",omitempty"`
		Outputs                  object            `json:",omitempty"`
	}
	dec := json.NewDecoder(bytes.NewReader(expansion))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&template); err != nil {
		return nil, err
	}
	template.Parameters["CodeBucket"] = object{
		"Type": "String", "AllowedPattern": "^[a-z0-9.-]{3,63}$",
		"Description": "The S3 bucket of the stack's region that holds the zips of the functions.",
	}
	template.Parameters["CodePrefix"] = object{
		"Type": "String", "Default": "",
		"Description": "What the keys of the zips in that bucket begin with, as tokenvend/. Empty for none.",
	}
	for name, file := range files {
		properties, ok := template.Resources[name]["Properties"].(object)
		if !ok {
			return nil, fmt.Errorf("the template has no function %s", name)
		}
		properties["Code"] = object{
			"S3Bucket": object{"Ref": "CodeBucket"}, "S3Key": object{"Fn::Sub": "${CodePrefix}" + file},
		}
	}
	return json.MarshalIndent(template, "", " ")
}
