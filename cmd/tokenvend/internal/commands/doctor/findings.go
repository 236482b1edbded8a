package doctor

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

// findings are the checks that were made.
type findings struct {
	expected
	commands    hint.Commands
	all         []Check
	aliasNames  []string // of the function; nil: not read
	credentials []string // that have a secret; nil: not read
}

func (f *findings) ok(subject, format string, args ...any) {
	f.all = append(f.all, Check{Subject: subject, Grade: Fine, Finding: fmt.Sprintf(format, args...)})
}

func (f *findings) warn(subject, finding, advice string) {
	f.all = append(f.all, Check{subject, Warning, finding, advice})
}

func (f *findings) fail(subject, finding, advice string) {
	f.all = append(f.all, Check{subject, Failed, finding, advice})
}

// unread adds what could not be read: for lack of a permission it is a warning,
// else a failure.
func (f *findings) unread(subject string, err error) {
	text, _ := clierror.Explain(err, f.commands)
	if clierror.IsDenied(err) {
		f.warn(subject, "not looked at: "+text, "")
		return
	}
	f.fail(subject, text, "")
}

func (f *findings) count(g Grade) (n int) {
	for _, c := range f.all {
		if c.Grade == g {
			n++
		}
	}
	return n
}
