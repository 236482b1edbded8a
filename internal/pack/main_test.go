package main

import (
	"archive/zip"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
)

// pack packages two programs and returns the folder.
func pack(t *testing.T) string {
	t.Helper()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "dist")
	for folder := range functions {
		dir := filepath.Join(from, folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "bootstrap"), []byte("program of "+folder), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	expansion, err := testbed.Expansion()
	if err == nil {
		err = write(from, to, expansion)
	}
	if err != nil {
		t.Fatal(err)
	}
	return to
}

func TestPackageNeedsNeitherGoNorSAM(t *testing.T) {
	to := pack(t)
	text, err := os.ReadFile(filepath.Join(to, "template.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, unwanted := range []string{`"Transform"`, "AWS::Serverless::", "tokenvend-code"} {
		if strings.Contains(string(text), unwanted) {
			t.Errorf("template.json has %s, want plain CloudFormation", unwanted)
		}
	}
	var template struct {
		Resources map[string]struct {
			Properties struct {
				Code struct {
					S3Key map[string]string
				}
			}
		}
	}
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for folder, name := range functions {
		file := strings.TrimPrefix(template.Resources[name].Properties.Code.S3Key["Fn::Sub"], "${CodePrefix}")
		archive, err := zip.OpenReader(filepath.Join(to, file))
		if err != nil {
			t.Fatalf("%s: the code of %s: %v", folder, name, err)
		}
		if len(archive.File) != 1 || archive.File[0].Name != "bootstrap" || archive.File[0].Mode().Perm() != 0o755 {
			t.Errorf("%s holds %v, want an executable bootstrap alone", file, archive.File)
		}
		_ = archive.Close()
	}
}

// The same programs give the same names and bytes.
func TestPackageIsReproducible(t *testing.T) {
	one, two := pack(t), pack(t)
	entries, err := os.ReadDir(one)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		a, err1 := os.ReadFile(filepath.Join(one, e.Name()))
		b, err2 := os.ReadFile(filepath.Join(two, e.Name()))
		if err1 != nil || err2 != nil || string(a) != string(b) {
			t.Errorf("%s differs between two runs (%v, %v)", e.Name(), err1, err2)
		}
	}
}
