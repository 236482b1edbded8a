package tokens

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/report"
)

// watch is the command watch.
type watch struct {
	command.Program
	connection.Flags
	command.Variant
	every time.Duration
}

func newWatch(p command.Program) *cobra.Command {
	w := &watch{Program: p}
	cmd := &cobra.Command{
		Use:     "watch [NAME…]",
		Short:   "Prints the state of credentials' tokens again and again, until Ctrl-C",
		Example: "tokenvend watch\ntokenvend watch minut monta --every 10s",
		Args:    func(_ *cobra.Command, args []string) error { return checkNames(args) },
		RunE:    func(cmd *cobra.Command, args []string) error { return w.run(cmd.Context(), p.Hints(cmd), args) },
	}
	w.Flags.Register(cmd.Flags())
	w.Variant.Register(cmd.Flags())
	cmd.ValidArgsFunction = completeAllNames(&w.Flags)
	cmd.Flags().DurationVar(&w.every, "every", 2*time.Second, "print this often, a `DURATION` as in 2s")
	return cmd
}

// leastEvery keeps watch from asking without a pause.
const leastEvery = 500 * time.Millisecond

func (w *watch) run(ctx context.Context, commands hint.Commands, names []string) error {
	if w.every < leastEvery {
		return clierror.Usage("--every: expected %s or more", leastEvery)
	}
	place, err := w.Place(ctx, commands)
	if err != nil {
		return err
	}
	caller, err := place.Client()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	ticks := time.NewTicker(w.every)
	defer ticks.Stop()
	if err := w.draw(ctx, caller, commands, names); err != nil && ctx.Err() == nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
		if err := w.draw(ctx, caller, commands, names); err != nil && ctx.Err() == nil {
			text, _ := clierror.Explain(err, commands) // the server may come back
			w.Say("%s", text)
		}
	}
}

// draw prints the state of the tokens once: of all credentials if there are no
// names.
func (w *watch) draw(ctx context.Context, caller *connection.Client, commands hint.Commands, names []string) error {
	if len(names) == 0 {
		var err error
		if names, err = report.AllNames(ctx, caller); err != nil {
			return err
		}
	}
	results := report.Statuses(ctx, caller, names, w.Options()...)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	now := time.Now()
	if err := w.ClearScreen(); err != nil {
		return err
	}
	if err := w.Printf("%s\n", now.Format(time.DateTime)); err != nil {
		return err
	}
	return report.Table(w.Console, results, commands, now)
}
