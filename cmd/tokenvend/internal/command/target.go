package command

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
)

// Target holds the flags of a command about one token or grant, whose status it
// prints.
type Target struct {
	connection.Flags
	Variant
	Output
}

// Register adds the flags to a command, and completes the name of a credential.
func (t *Target) Register(cmd *cobra.Command) {
	t.Flags.Register(cmd.Flags())
	t.Variant.Register(cmd.Flags())
	t.Output.Register(cmd)
	cmd.ValidArgsFunction = CompleteNames(&t.Flags)
}
