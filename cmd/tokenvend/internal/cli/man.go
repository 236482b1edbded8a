package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

// newMan returns the command that writes the manual pages. make man runs it.
func newMan() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Writes the manual pages of all commands to a folder",
		Hidden: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return clierror.Usage("expected the folder for the manual pages")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil { // #nosec G301 -- for everybody to read
				return err
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true // the date of the page is enough
			root.Long = about + "\n" + where + "\n" + exitCodes()
			for _, cmd := range append(root.Commands(), root) {
				cmd.Long = markLists(cmd.Long)
			}
			header := &doc.GenManHeader{Title: "TOKENVEND", Section: "1", Source: "tokenvend", Manual: "tokenvend"}
			return doc.GenManTree(root, header, args[0])
		},
	}
}

// markLists indents lists as Markdown's preformatted text, which manual pages
// are made from: there the lines of a paragraph are joined.
func markLists(text string) string {
	var b strings.Builder
	inList := false
	for line := range strings.Lines(text) {
		isItem := strings.HasPrefix(line, "  ")
		if isItem != inList {
			b.WriteString("\n")
		}
		if inList = isItem; isItem {
			line = "  " + line
		}
		b.WriteString(line)
	}
	return b.String()
}
