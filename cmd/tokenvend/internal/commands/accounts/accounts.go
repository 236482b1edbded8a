// Package accounts holds the commands that connect the accounts of users, and
// keep their grants.
package accounts

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// Commands returns the commands of this package.
func Commands(p command.Program) []*cobra.Command {
	return []*cobra.Command{newList(p), newConnect(p), newAccept(p), newRecover(p)}
}
