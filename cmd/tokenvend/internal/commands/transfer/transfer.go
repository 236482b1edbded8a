// Package transfer holds the commands that bring many credentials from
// elsewhere, and that write them out without their secrets.
package transfer

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newImport(p), newExport(p)}
}
