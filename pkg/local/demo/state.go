package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/tokenvend/tokenvend/pkg/local/datafolder"
	"github.com/tokenvend/tokenvend/pkg/private"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/seal"
)

// saveEvery is how much a crash can make the providers forget.
const saveEvery = time.Second

// state keeps what the simulated providers remember of their tokens in a file,
// sealed like the store's rows. So stored tokens and connected accounts work
// after a restart.
type state struct {
	path      string
	simulator *simulator.Simulator
	sealer    seal.Sealer
	saved     []byte // in the file
}

// sealName and sealData bind what is sealed to this file.
const sealName = "demo"

var sealData = []byte(datafolder.DemoStateName)

// restore reads the file, if there is one.
func (s *state) restore(owners private.Owners) error {
	sealed, err := owners.ReadSecret(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	saved, err := s.sealer.Open(context.Background(), sealName, sealed, sealData)
	if err == nil {
		err = s.simulator.Restore(saved)
	}
	if err != nil {
		return fmt.Errorf("%s: %w; remove it: the simulated providers then know none of their tokens", s.path, err)
	}
	s.saved = saved
	return nil
}

// save writes the file where the state has changed.
func (s *state) save() error {
	now, err := s.simulator.State()
	if err != nil || bytes.Equal(now, s.saved) {
		return err
	}
	sealed, err := s.sealer.Seal(context.Background(), sealName, now, sealData)
	if err != nil {
		return err
	}
	if err := private.ReplaceFile(s.path, sealed); err != nil {
		return err
	}
	s.saved = now
	return nil
}

// run saves the state again and again until ctx ends.
func (s *state) run(ctx context.Context, log *slog.Logger) {
	ticks := time.NewTicker(saveEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		if err := s.save(); err != nil {
			log.LogAttrs(ctx, slog.LevelWarn, "demo", slog.String("error", err.Error()))
		}
	}
}
