package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/seal"
)

// demoStateFile holds what the simulated providers remember of their tokens, so
// that stored tokens and connected accounts work after a restart.
const demoStateFile = "demo.sealed"

// demoStateEvery is how much a crash can make the providers forget.
const demoStateEvery = time.Second

// demoState keeps the state of a demo's simulator in a file, sealed like the
// store's rows.
type demoState struct {
	path      string
	simulator *simulator.Simulator
	sealer    seal.Sealer
	saved     []byte // in the file
}

// demoSealName and demoSealData bind what is sealed to this file.
const demoSealName = "demo"

var demoSealData = []byte(demoStateFile)

// restore reads the file, if there is one.
func (d *demoState) restore(owners private.Owners) error {
	sealed, err := owners.ReadSecret(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	saved, err := d.sealer.Open(context.Background(), demoSealName, sealed, demoSealData)
	if err == nil {
		err = d.simulator.Restore(saved)
	}
	if err != nil {
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
	sealed, err := d.sealer.Seal(context.Background(), demoSealName, state, demoSealData)
	if err != nil {
		return err
	}
	if err := private.ReplaceFile(d.path, sealed); err != nil {
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
