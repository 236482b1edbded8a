package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// demoStateFile holds what the simulated providers remember of their tokens, so
// that stored tokens and connected accounts work after a restart.
const demoStateFile = "demo.json"

// demoStateEvery is how much a crash can make the providers forget.
const demoStateEvery = time.Second

// demoState keeps the state of a demo's simulator in a file.
type demoState struct {
	path      string
	simulator *simulator.Simulator
	saved     []byte // in the file
}

// restore reads the file, if there is one.
func (d *demoState) restore(owners private.Owners) error {
	saved, err := owners.ReadSecret(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := d.simulator.Restore(saved); err != nil {
		return fmt.Errorf("%s: %w; remove it: the simulated providers then know none of their tokens", d.path, err)
	}
	d.saved = saved
	return nil
}

// save writes the file where the state has changed.
func (d *demoState) save() error {
	state, err := d.simulator.State()
	if err != nil || bytes.Equal(state, d.saved) {
		return err
	}
	if err := private.ReplaceFile(d.path, state); err != nil {
		return err
	}
	d.saved = state
	return nil
}

// run saves the state again and again until ctx ends.
func (d *demoState) run(ctx context.Context, log *slog.Logger) {
	ticks := time.NewTicker(demoStateEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		if err := d.save(); err != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "demo", slog.String("error", err.Error()))
		}
	}
}

func demoStateIn(data string, sim *simulator.Simulator) *demoState {
	return &demoState{path: filepath.Join(data, demoStateFile), simulator: sim}
}
