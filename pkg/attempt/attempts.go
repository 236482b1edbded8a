package attempt

import (
	"net/http"
	"time"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/credential"
	"github.com/tokenvend/tokenvend/pkg/descriptor"
	"github.com/tokenvend/tokenvend/pkg/failure"
	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/outage"
	"github.com/tokenvend/tokenvend/pkg/proof"
	"github.com/tokenvend/tokenvend/pkg/provider"
	"github.com/tokenvend/tokenvend/pkg/records"
	"github.com/tokenvend/tokenvend/pkg/registry"
	"github.com/tokenvend/tokenvend/pkg/store"
	"github.com/tokenvend/tokenvend/pkg/verification"
)

// Attempts makes attempts. All fields but Journal and Prover are required. All
// its methods are safe for concurrent use.
type Attempts struct {
	Records  *records.Records
	Registry *registry.Registry
	Verifier *verification.Verifier
	Hosts    *outage.Hosts
	HTTP     *http.Client
	Prover   *proof.Prover // nil: no client is authenticated by a proof
	Journal  journal.Journal
	Period   time.Duration   // of rotate's passes
	Clocks   provider.Clocks // of the providers
}

// Request is what an attempt depends on beside its entry.
type Request struct {
	Caller        access.Caller // who requests the token
	Proactive     bool          // no caller requests it
	Reported      bool          // a report of the current token forces it
	IgnoreBackoff bool          // an operator wants a refresh token sent though the rule says otherwise
}

// attempt is one attempt to obtain a token under a lease.
type attempt struct {
	*Attempts
	lease         store.Lease
	before        records.Snapshot // under the lease
	ignoreBackoff bool             // see [Request]
	began         time.Time
	requests      int // token requests that may have reached the provider
	outcome
}

// outcome is the result of the requests of one attempt.
type outcome struct {
	record   *records.Known        // as it is by now
	client   credential.Credential // what the record was learned from, or the version that obtained the token
	changed  bool                  // the secret has another destination or login by now: the attempt starts again
	heldBack bool                  // the entry's grant belongs to another destination: nothing was sent
	grant    descriptor.Grant      // of the last request
	response provider.TokenResponse
	failed   *failure.Cause // nil: the response has a token
	refresh  refreshAttempt // the refresh token at hand, and what became of it
	answered time.Time      // when the last response had arrived
}
