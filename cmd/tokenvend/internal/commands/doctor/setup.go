package doctor

import (
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/permissions"
)

// setup is what is checked, and the checks that were made.
type setup struct {
	checks.List
	expected permissions.Expected
}
