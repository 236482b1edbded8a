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

// need is a program that make test-all runs and that must be installed.
type need struct {
	name      string   // the name shown
	use       string   // its purpose
	programs  []string // alternative names; the first that is found is used
	probe     []string // arguments that print its version or check that it works
	version   *regexp.Regexp
	least     int      // the minimum version; 0: any
	packages  []string // Debian packages
	elsewhere string   // how to install it without apt-get
}

var digits = regexp.MustCompile(`(\d+)`)

// styles are the escape sequences with which a program colours its output.
var styles = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// needs lists what make test-all needs besides Go, git, make and curl. Packages
// of npm, pip, Maven and Go are pinned by their hashes, and are installed into
// .cache automatically.
var needs = []need{
	{
		name: "Node.js 20", use: "dynalite, cdk-nag, cfn-guard, Redocly, OAuth servers, clients/js",
		programs: []string{"node"}, probe: []string{"--version"},
		version: digits, least: 20, packages: []string{"nodejs"}, elsewhere: "https://nodejs.org/en/download",
	},
	{
		name: "npm", use: "to install those", programs: []string{"npm"}, probe: []string{"--version"},
		version: digits, packages: []string{"npm"}, elsewhere: "comes with Node.js",
	},
	{
		name:     "Python 3.10 with venv",
		use:      "moto, aws-sam-translator, cfn-lint, Schemathesis, OAuth libraries, clients/python",
		programs: []string{"python3"},
		probe:    []string{"-c", "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"},
		version:  regexp.MustCompile(`3\.(\d+)`), least: 10, packages: []string{"python3-venv"},
		elsewhere: "https://www.python.org/downloads",
	},
	{
		name: "JDK 17", use: "DynamoDB Local, Keycloak, Spring Security, examples", programs: []string{"javac"},
		probe:   []string{"-version"},
		version: digits, least: 17, packages: []string{"default-jdk-headless"}, elsewhere: "https://adoptium.net",
	},
	{
		name: "Maven", use: "to install Keycloak and Spring Security", programs: []string{"mvn"},
		probe:   []string{"-q", "--version"},
		version: digits, packages: []string{"maven"}, elsewhere: "https://maven.apache.org/download.cgi",
	},
	{
		name: "Chromium", use: "consent in a real browser",
		programs: []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"},
		probe:    []string{"--version"}, version: digits, packages: []string{"chromium"},
		elsewhere: "https://www.chromium.org/getting-involved/download-chromium",
	},
	{
		name: "nginx", use: "forward auth by the agent", programs: []string{"nginx"}, probe: []string{"-v"},
		version: regexp.MustCompile(`nginx/(\d+)`), least: 1, packages: []string{"nginx-light"},
		elsewhere: "https://nginx.org/en/download.html",
	},
	{
		name: "a C compiler", use: "the race detector", programs: []string{"gcc", "clang", "cc"},
		probe:   []string{"-dumpversion"},
		version: digits, packages: []string{"gcc", "libc6-dev"}, elsewhere: "your system's developer tools",
	},
}

// found is the result of looking for a need.
type found struct {
	need
	what    string // "" for nothing
	missing error  // nil if it is sufficient
}

// probeWithin bounds how long a program takes to print its version.
const probeWithin = 30 * time.Second

// look looks for a need on the machine.
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

// classify decides by a program's output whether it is sufficient.
func (n need) classify(path, said string, err error) found {
	lines := strings.Split(strings.TrimSpace(styles.ReplaceAllString(said, "")), "\n")
	line := lines[len(lines)-1] // warnings may precede it
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

// table writes the needs, what was found and how to install the rest.
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

// lacking returns the missing needs and their packages.
func lacking(all []found) (names, packages []string) {
	for _, f := range all {
		if f.missing != nil {
			names, packages = append(names, f.name), append(packages, f.packages...)
		}
	}
	return names, packages
}
