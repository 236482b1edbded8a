package functions_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tokenvend/tokenvend/pkg/boot"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
	"github.com/tokenvend/tokenvend/pkg/token"
)

// restart ends both functions' processes and starts new ones that write a row
// format.
func (h *installation) restart(format string) {
	h.t.Helper()
	for _, function := range []string{"vend", "rotate"} {
		h.runtimes[function] = freshRuntime(h)
		h.start(function, boot.EnvRowFormat+"="+format)
	}
}

// checkFormat fails the test unless the record and the entry of a credential
// are of a row format, and begin with the first byte of what is sealed so.
func (h *installation) checkFormat(name, format string, first byte) {
	h.t.Helper()
	for _, key := range []token.Key{token.RecordKey(name), {Credential: name}} {
		row := h.row(key)
		got := row["format"].(*types.AttributeValueMemberN).Value
		if sealed := row.sealed(); got != format || sealed[0] != first {
			h.t.Errorf("%v: format %s, sealed as %d, want %s and %d", key, got, sealed[0], format, first)
		}
	}
}

// Rows are rewritten so that they are sealed by bucket, and back. Both
// functions open what the other sealed, and no token is obtained again.
func TestRowsAreSealedByBucketAndBack(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", map[string]any{"keep_warm": true, "allow": map[string]any{"scopes": []string{"read"}}})
	h.start("rotate")
	h.discover()
	h.tick()
	h.start("vend")
	before := h.token("minut").Fingerprint
	h.checkFormat("minut", "2", 2)
	for _, step := range []struct {
		setting, format string
		first           byte
	}{{"3", "2", 2}, {"migrate-3", "3", 3}, {"2", "3", 3}, {"migrate", "2", 2}} {
		h.restart(step.setting)
		if got := h.tick(); got.Error != "" || got.Failed+got.Renewed != 0 {
			t.Errorf("tick() with format %s = %+v, want nothing renewed", step.setting, got)
		}
		h.checkFormat("minut", step.format, step.first)
		h.vendByScope("read")
		if got := h.token("minut").Fingerprint; got != before {
			t.Errorf("token(minut) with format %s = %s, want %s, which lives", step.setting, got, before)
		}
	}
	if n := h.sim.Stats().Providers["minut"].TokenRequests; n != 2 {
		t.Errorf("minut had %d token requests, want one for each scope", n)
	}
}

// A data key is for a bucket of credentials. The names of these two are of one.
func TestCredentialsOfABucketCostOneDataKey(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	names := []string{"minut", "minut-3"}
	for _, name := range names {
		h.put(name, "minut", map[string]any{"keep_warm": true})
	}
	h.restart("3")
	h.discover()
	h.tick()
	if got := h.aws["rotate"].rest.Take()["GenerateDataKey"]; got != 1 {
		t.Errorf("rotate generated %d data keys for %v, want 1", got, names)
	}
	h.aws["vend"].rest.Take()
	for _, name := range names {
		h.token(name)
	}
	if got := h.aws["vend"].rest.Take(); got["Decrypt"] != 1 || got["GenerateDataKey"] != 0 {
		t.Errorf("vend called KMS %v for the tokens of %v, want one Decrypt", got, names)
	}
}
