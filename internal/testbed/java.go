//go:build testall

package testbed

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Java returns the path of Java, and the class path of the program Driver.java
// of a folder. The folder's pom.xml names what it needs, and SHA512SUMS has the
// hash of every file of that, so that Maven can bring nothing else.
func Java(t testing.TB, name, folder string) (java, classpath string) {
	t.Helper()
	java, err := program("java", "a JDK, version 17 or newer")
	if err != nil {
		t.Fatal(err)
	}
	var sources [][]byte
	for _, file := range []string{"pom.xml", "SHA512SUMS", "Driver.java"} {
		source, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, source)
	}
	if folder, err = filepath.Abs(folder); err != nil {
		t.Fatal(err)
	}
	dir, err := installed(name+"-java-"+shortHash(sources...), func(dir string) error {
		return installJava(folder, dir, string(sources[1]))
	})
	if err != nil {
		t.Fatal(err)
	}
	return java, dir + string(filepath.ListSeparator) + filepath.Join(dir, "jars", "*")
}

// installJava takes the repository from the machine's own settings.
func installJava(folder, dir, sums string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	jars := filepath.Join(dir, "jars")
	for _, line := range [][]string{
		{"mvn", "--batch-mode", "--quiet", "--file", filepath.Join(folder, "pom.xml"),
			mavenDependency + ":copy-dependencies", "-DoutputDirectory=" + jars, "-DincludeScope=runtime"},
		{"javac", "-d", dir, "-cp", filepath.Join(jars, "*"), filepath.Join(folder, "Driver.java")},
	} {
		path, err := program(line[0], "a JDK, version 17 or newer, and Maven 3")
		if err != nil {
			return err
		}
		if said, err := exec.CommandContext(ctx, path, line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", line[0], err, said)
		}
		if err := checkSums(jars, sums); err != nil {
			return err
		}
	}
	return nil
}

// checkSums compares the files of a folder with a list, as sha512sum writes it.
func checkSums(folder, sums string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var got strings.Builder
	for _, e := range entries { // sorted
		content, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return err
		}
		sum := sha512.Sum512(content)
		fmt.Fprintf(&got, "%s  %s\n", hex.EncodeToString(sum[:]), e.Name())
	}
	if got.String() != sums {
		return fmt.Errorf("the files of %s are not those of SHA512SUMS:\n%s", folder, got.String())
	}
	return nil
}
