// Package checks holds what was checked of a setup, and with which result.
package checks

import (
	"fmt"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
)

// Grade is the result of a check.
type Grade string

// The grades.
const (
	Fine    Grade = "ok"
	Warning Grade = "warning"
	Failed  Grade = "failed"
)

// Check is one thing that was checked.
type Check struct {
	Subject string `json:"subject"`
	Grade   Grade  `json:"grade"`
	Finding string `json:"finding"`
	Advice  string `json:"advice,omitempty"` // what to do; "": nothing
}

// List is the checks that were made.
type List struct {
	Commands hint.Commands // for what to do
	Region   string        // of the stack; "": there is none
	All      []Check
}

// OK adds a check that found nothing wrong.
func (l *List) OK(subject, format string, args ...any) {
	l.All = append(l.All, Check{Subject: subject, Grade: Fine, Finding: fmt.Sprintf(format, args...)})
}

// Warn adds a check with a warning.
func (l *List) Warn(subject, finding, advice string) {
	l.All = append(l.All, Check{subject, Warning, finding, hint.InRegion(l.Region, advice)})
}

// Fail adds a check that failed.
func (l *List) Fail(subject, finding, advice string) {
	l.All = append(l.All, Check{subject, Failed, finding, hint.InRegion(l.Region, advice)})
}

// Unread adds what could not be read: for lack of a permission it is a warning,
// else a failure.
func (l *List) Unread(subject string, err error) {
	text, _ := clierror.Explain(err, l.Commands)
	if clierror.IsDenied(err) {
		l.Warn(subject, "not looked at: "+text, "")
		return
	}
	l.Fail(subject, text, "")
}

// Count returns how many checks have a grade.
func (l *List) Count(g Grade) (n int) {
	for _, c := range l.All {
		if c.Grade == g {
			n++
		}
	}
	return n
}
