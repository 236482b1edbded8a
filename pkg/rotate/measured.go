package rotate

import (
	"errors"

	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/journal"
)

// measured is what a pass counts for metrics alone.
type measured struct {
	read                bool // all due entries were read
	store, seal, secret int  // renewals that failed because of DynamoDB, KMS or Secrets Manager
}

// note counts a renewal's error by the service that caused it. A refusal of a
// provider counts nowhere: it has metrics of its own.
func (m *measured) note(err error) {
	failed := (*api.Error)(nil)
	if !errors.As(err, &failed) {
		return
	}
	switch failed.Code {
	case api.StoreUnavailable:
		m.store++
	case api.SealUnavailable:
		m.seal++
	case api.SecretUnavailable:
		m.secret++
	}
}

func (m *measured) complete(line *journal.Pass) {
	line.Unread = !m.read
	line.StoreFailures, line.SealFailures, line.SecretFailures = m.store, m.seal, m.secret
}
