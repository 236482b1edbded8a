// Package credentials holds the commands that list, add, change and remove
// credentials.
package credentials

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newList(p), newAdd(p), newSet(p), newRemove(p)}
}
