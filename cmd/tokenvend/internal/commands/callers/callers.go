// Package callers holds the commands about the callers of a credential: who may
// invoke a stack's function for it, and who requests its tokens.
package callers

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newGrant(p), newGrants(p), newUsage(p)}
}
