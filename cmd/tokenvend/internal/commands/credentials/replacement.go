package credentials

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"syscall"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretinput"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/secretstore"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/grant"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// replacement is a secret that replaces another. It is tried first under
// another name, so that no caller gets a token by a secret that does not work.
type replacement struct {
	command.Program
	place  connection.Place
	store  secretstore.Store
	name   string
	before redact.String
	text   redact.String
	parsed credential.Credential
}

// localFields are the fields of a secret that change nothing of what is sent to
// the provider.
var localFields = []string{"allow", "keep_warm", "idle_after", "max_variants", "lifetime", "quota"}

// isNeeded reports whether the secret changes what is sent to the provider.
func (r replacement) isNeeded() bool {
	before, _ := secretinput.ReadFields(r.before)
	after, _ := secretinput.ReadFields(r.text)
	for _, name := range localFields {
		delete(before, name)
		delete(after, name)
	}
	return !reflect.DeepEqual(decoded(before), decoded(after))
}

func decoded(f secretinput.Fields) map[string]any {
	values := map[string]any{}
	for name := range f {
		values[name] = f.Value(name)
	}
	return values
}

// obstacle returns why a trial could do harm; "" for none.
func (r replacement) obstacle() string {
	strategy := grant.Of(r.parsed.Grant)
	if strategy.CanBeLost() || !r.parsed.Refresh.IsZero() {
		return "its tokens are obtained by a grant, which a trial could use up"
	}
	if d, err := r.parsed.ProviderDescriptor(); err == nil && d.Overlap(strategy.Direct) == descriptor.OverlapRevokes {
		return "the provider ends a token when it issues the next one"
	}
	return ""
}

// trialText returns the secret for the trial: no caller is admitted to it, and
// it is not renewed without requests.
func (r replacement) trialText() (redact.String, error) {
	f, _ := secretinput.ReadFields(r.text)
	f.Clear("keep_warm")
	f.Put("allow", access.Rule{Principals: []string{"arn:aws:iam::000000000000:user/nobody"}})
	return f.Text()
}

// tryFirst obtains a token by the new secret. Its error is that of a secret
// that the provider refuses; nothing is left of the trial.
func (r replacement) tryFirst(ctx context.Context) error {
	if !r.isNeeded() {
		return nil
	}
	if why := r.obstacle(); why != "" {
		r.Say("The new secret was not tried: %s.", why)
		return nil
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	token, err := r.tokenUnderOtherName(ctx)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted, and nothing was written")
	case err == nil:
		r.Say("The new secret %s", works(token))
	case isNoServer(err):
		r.Say("The new secret was not tried: no server runs here. %s starts one.", r.place.Commands.Line("serve"))
	case isRefused(err):
		return fmt.Errorf("%s was not changed (--no-trial writes the secret all the same): %w", r.name, err)
	default:
		r.Say("The new secret could not be tried: %s", terminal.Lines(trial{place: r.place, shown: r.name}.reason(err)))
	}
	return nil
}

// tokenUnderOtherName creates a secret under another name, obtains a token by
// it, and removes both.
func (r replacement) tokenUnderOtherName(ctx context.Context) (token api.Token, err error) {
	caller, err := r.place.Client()
	if err != nil {
		return token, err
	}
	text, err := r.trialText()
	if err != nil {
		return token, err
	}
	name := trialName(r.name)
	created, err := r.store.Create(ctx, name, text)
	if err != nil {
		return token, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
		defer cancel()
		_, _ = caller.Revoke(ctx, name) // where it fails, the token ends by itself
		if left := r.store.Discard(ctx, name); left != nil {
			err = errors.Join(err, fmt.Errorf("the secret of the trial, %s, could not be removed: %w",
				r.store.Describe(name), left))
		}
	}()
	token, err = trial{r.Program, r.place, r.store, name, r.name, created.Version}.token(ctx)
	if e, ok := errors.AsType[*api.Error](err); ok {
		e.Credential = r.name
	}
	return token, err
}

// maxPrefix keeps the name of a trial within the 63 characters of a name.
const maxPrefix = 40

// trialName returns a name that no credential has, and that begins with the
// name of the one that is tried.
func trialName(name string) string {
	random := make([]byte, 6)
	_, _ = rand.Read(random) // never fails
	return name[:min(len(name), maxPrefix)] + "-trial-" + hex.EncodeToString(random)
}
