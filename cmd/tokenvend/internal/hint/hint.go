// Package hint writes command lines that an operator can copy: they start with
// the program's name as it was invoked, and repeat the flags that name where
// requests go.
package hint

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"

	"github.com/spf13/pflag"
)

// The flags that hints repeat.
var (
	placeFlags   = []string{"url", "function", "region", "data"}
	variantFlags = []string{"account", "scope", "audience"}
	secretFlags  = []string{"prefix"}
)

// Commands writes commands like the one that runs. The zero value writes them
// without flags.
type Commands struct {
	program string // "": tokenvend
	values  map[string]string
}

// New returns the commands that repeat the flags of this command line.
func New(program string, flags *pflag.FlagSet) Commands {
	values := map[string]string{}
	flags.Visit(func(f *pflag.Flag) { values[f.Name] = f.Value.String() })
	return Commands{program, values}
}

// WithData returns commands on the data folder of the server on this machine.
func (c Commands) WithData(folder string) Commands {
	return Commands{c.program, map[string]string{"data": folder}}
}

// WithFunction returns commands on a stack by its vend function.
func (c Commands) WithFunction(function, region string) Commands {
	return Commands{c.program, map[string]string{"function": function, "region": region}}
}

// WithAccount returns commands about the grant of an account, on the same
// place.
func (c Commands) WithAccount(account string) Commands {
	values := maps.Clone(c.values)
	if values == nil {
		values = map[string]string{}
	}
	values["account"] = account
	return Commands{c.program, values}
}

// Line returns a command on the same place. Words are quoted for a shell.
func (c Commands) Line(command string, words ...string) string {
	line := c.start(command)
	for _, word := range words {
		line += " " + Quote(word)
	}
	return line + c.flags(c.placeFlagsOf(command))
}

// Text returns a command on the data folder of the server on this machine, as
// it stands: "add NAME".
func (c Commands) Text(command string) string { return c.start(command) + c.flags([]string{"data"}) }

// Token returns a command about the same token of a credential.
func (c Commands) Token(command, credential string) string {
	return c.start(command) + " " + Quote(credential) + c.flags(variantFlags) + c.flags(c.placeFlagsOf(command))
}

func (c Commands) start(command string) string {
	program := c.program
	if program == "" {
		program = "tokenvend"
	}
	return program + " " + command
}

func (c Commands) placeFlagsOf(command string) []string {
	switch command {
	case "serve":
		return []string{"data"}
	case "add", "set", "rm", "doctor", "import", "export":
		return append(append([]string{}, placeFlags...), secretFlags...)
	}
	return placeFlags
}

func (c Commands) flags(names []string) (text string) {
	for _, name := range names {
		if value := c.values[name]; value != "" {
			text += " --" + name + " " + Quote(value)
		}
	}
	return text
}

// inText matches a command in a text of tokenvend's API.
var inText = regexp.MustCompile(`\btokenvend (accept|connect|renew|status|set|recover) ([a-z0-9][a-z0-9_-]{0,62})`)

// Complete returns a text of tokenvend's API in which commands are complete.
func (c Commands) Complete(text string) string {
	return inText.ReplaceAllStringFunc(text, func(found string) string {
		words := strings.Fields(found)
		return c.Token(words[1], words[2])
	})
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,][A-Za-z0-9_./:@%+=,-]*$`)

// Quote returns a word as a shell reads it.
func Quote(word string) string {
	if plainWord.MatchString(word) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Program returns the name by which a shell finds this program again: its name
// where PATH leads to it, else the path that it was invoked by. A program that
// go run has built is gone when it ends, so the name is go run and its package.
func Program() string {
	invoked := os.Args[0]
	self, err := os.Executable()
	if err != nil {
		return invoked
	}
	base := filepath.Base(invoked)
	if found, err := exec.LookPath(base); err == nil && sameFile(found, self) {
		return base
	}
	if info, ok := debug.ReadBuildInfo(); ok && isGoRun(self) {
		return "go run " + info.Path
	}
	return Quote(invoked)
}

// isGoRun reports whether go run has built the program at path.
func isGoRun(path string) bool {
	dir := filepath.Dir(path)
	return filepath.Base(dir) == "exe" && strings.Contains(dir, string(filepath.Separator)+"go-build")
}

func sameFile(a, b string) bool {
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
