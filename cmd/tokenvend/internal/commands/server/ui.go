package server

import (
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/pkg/local/statuspage"
)

func newUI(p command.Program) *cobra.Command {
	var data string
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "Prints a link to the status page of the server on this machine",
		Long: "The link signs one browser in, once, within five minutes. The page shows no token and changes " +
			"nothing.\n",

		Example:           "tokenvend ui",
		Args:              command.NoArguments,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			folder, err := connection.DataFolder(data)
			if err != nil {
				return err
			}
			info, err := folder.ServerInfo()
			if err != nil {
				return err
			}
			return p.Line(info.URL + statuspage.NewLink(info.Secret))
		},
	}
	cmd.Flags().StringVar(&data, "data", "", "the data `FOLDER` of the server; else "+connection.EnvData+
		", else ~/.tokenvend")
	return cmd
}
