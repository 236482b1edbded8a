package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// need is a program that make test-all runs, and that the system has to bring.
type need struct {
	name      string   // for people
	use       string   // what it is for
	programs  []string // the names it may have; the first that is found counts
	probe     []string // the arguments that have it tell its version, or prove that it works
	version   *regexp.Regexp
	least     int      // 0: any will do
	packages  []string // of Debian
	elsewhere string   // how to install it where there is no apt-get
}

var digits = regexp.MustCompile(`(\d+)`)

// needs is all that make test-all needs besides Go, git, make and curl. What
// npm and pip install comes into .cache by itself, pinned.
var needs = []need{
	{
		name: "Node.js 20", use: "dynalite, oidc-provider, cdk-nag", programs: []string{"node"},
		probe:   []string{"--version"},
		version: digits, least: 20, packages: []string{"nodejs"}, elsewhere: "https://nodejs.org/en/download",
	},
	{
		name: "npm", use: "to install those", programs: []string{"npm"}, probe: []string{"--version"},
		version: digits, packages: []string{"npm"}, elsewhere: "comes with Node.js",
	},
	{
		name: "Python 3.10 with venv", use: "moto, aws-sam-translator, cfn-lint", programs: []string{"python3"},
		probe:   []string{"-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"},
		version: regexp.MustCompile(`3\.(\d+)`), least: 10, packages: []string{"python3-venv"},
		elsewhere: "https://www.python.org/downloads",
	},
	{
		name: "JDK 11", use: "DynamoDB Local", programs: []string{"javac"}, probe: []string{"-version"},
		version: digits, least: 11, packages: []string{"default-jdk-headless"}, elsewhere: "https://adoptium.net",
	},
	{
		name: "Chromium", use: "consent in a real browser",
		programs: []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"},
		probe:    []string{"--version"}, version: digits, packages: []string{"chromium"},
		elsewhere: "https://www.chromium.org/getting-involved/download-chromium",
	},
	{
		name: "a C compiler", use: "the race detector", programs: []string{"gcc", "clang", "cc"},
		probe:   []string{"-dumpversion"},
		version: digits, packages: []string{"gcc", "libc6-dev"}, elsewhere: "your system's developer tools",
	},
}

// found is what a machine has of a need.
type found struct {
	need
	what    string // "" for nothing
	missing error  // nil where it will do
}

// probeWithin bounds how long a program may take to tell its version.
const probeWithin = 30 * time.Second

// look asks the machine for a need.
func (n need) look(ctx context.Context) found {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	for _, program := range n.programs {
		path, err := exec.LookPath(program)
		if err != nil {
			continue
		}
		said, err := exec.CommandContext(ctx, path, n.probe...).CombinedOutput()
		return n.classify(path, string(said), err)
	}
	return found{need: n, missing: errors.New("not found")}
}

// classify reports whether what a program said of itself will do.
func (n need) classify(path, said string, err error) found {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	line := lines[len(lines)-1] // there may be warnings before it
	f, version := found{need: n, what: path}, ""
	if found := n.version.FindStringSubmatch(line); found != nil {
		version = found[1]
	}
	major, _ := strconv.Atoi(version)
	switch {
	case err != nil:
		f.missing = fmt.Errorf("%s does not work: %s", path, line)
	case major < n.least:
		f.missing = fmt.Errorf("%s is version %s, want %d or newer", path, version, n.least)
	default:
		f.what += " (" + line + ")"
	}
	return f
}

// table writes what is needed, what there is and how to install it.
func table(w io.Writer, all []found, apt bool) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "needed\tfor\tfound\thow to install") // tabwriter keeps errors for Flush
	for _, f := range all {
		what, how := f.what, ""
		if f.missing != nil {
			what, how = f.missing.Error(), f.elsewhere
			if apt {
				how = "apt-get install " + strings.Join(f.packages, " ")
			}
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.name, f.use, what, how)
	}
	return t.Flush()
}

// lacking returns the needs that are not met and their packages.
func lacking(all []found) (names, packages []string) {
	for _, f := range all {
		if f.missing != nil {
			names, packages = append(names, f.name), append(packages, f.packages...)
		}
	}
	return names, packages
}
