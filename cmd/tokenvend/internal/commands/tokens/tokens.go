// Package tokens holds the commands about the tokens of a credential.
package tokens

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{
		newGet(p), newExec(p), newStatus(p), newWatch(p), newVerify(p), newRenew(p), newRevoke(p),
	}
}
