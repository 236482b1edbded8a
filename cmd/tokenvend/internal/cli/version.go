package cli

import (
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
)

// versions are the versions that the program is made from.
type versions struct {
	Version string `json:"version"`
	Go      string `json:"go"`
}

// version returns the stamped version, else the one of the module.
func version(stamped string) versions {
	v := versions{Version: stamped}
	if info, ok := debug.ReadBuildInfo(); ok {
		v.Go = info.GoVersion
		if stamped == "" {
			v.Version = info.Main.Version
		}
	}
	return v
}

// String returns the versions as a line.
func (v versions) String() string {
	parts := []string{"tokenvend", v.Version, v.Go}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

func newVersion(p command.Program) *cobra.Command {
	var output command.Output
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Prints the version of this program",
		Example:           "tokenvend version --output json",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			v := version(p.Version)
			return output.Print(p.Console, v, func() error { return p.Printf("%s\n", v.String()) })
		},
	}
	output.Register(cmd)
	return cmd
}
