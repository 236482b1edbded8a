package cli

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

var update = flag.Bool("update", false, "write docs/reference/cli.md anew")

const referenceFile = "../../../../docs/reference/cli.md"

const referenceHead = `# Command line

The help of every command, as ` + "`tokenvend help COMMAND`" + ` prints it. make reference writes
this page from the program. [Operate](../guide/operate.md) explains how the commands
are used.
`

// docs/reference/cli.md is the help of the program. -update writes it.
func TestReferenceIsTheHelp(t *testing.T) {
	root := New(command.Program{Console: terminal.New(os.Stdin, os.Stdout, os.Stderr), Name: "tokenvend"})
	var b strings.Builder
	b.WriteString(referenceHead)
	writeReference(&b, root)
	if *update {
		if err := os.WriteFile(referenceFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(referenceFile)
	if err != nil || string(page) != b.String() {
		t.Errorf("docs/reference/cli.md is not the help, %v, want it written anew: make reference", err)
	}
}

// writeReference writes a section for a command and for each below it.
func writeReference(b *strings.Builder, cmd *cobra.Command) {
	cmd.InitDefaultHelpFlag()
	title := strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" ")
	fmt.Fprintf(b, "\n## %s\n\n```text\n%s```\n", title, help(cmd))
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() && cmd.Name() != "completion" {
			writeReference(b, sub)
		}
	}
}
