package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/tokenvend/tokenvend/pkg/api"
)

var doctorCommand = command{
	name: "doctor", does: "Looks at a setup and says what is wrong with it",
	more: "On a stack it reads the function, its aliases and policies, IAM, the secrets and the tokens' states; on this machine the data folder and the server. It changes nothing.\n" +
		"Every grant that reaches the alias api, the alias admin or the bare function is a warning,\n" +
		"except that of the stack's API on api, and those of --operators on admin.\n" +
		"Name the function with --function, and the stack's API with --url, so that another API is told from it.\n" +
		"What may not be read is said, and is no failure. It exits with 1 where a check failed; a warning is none.\n",
	example: "tokenvend doctor --function tokenvend-VendFunction-1A2B3C --operators arn:aws:iam::123456789012:role/ops",
	make:    func() action { return &doctor{} },
}

type doctor struct {
	server
	prefix    secretPrefix
	operators string
	json      bool
}

func (d *doctor) flags(f *flag.FlagSet) {
	d.server.flags(f)
	f.StringVar(&d.prefix.given, "prefix", "", "what the names of the stack's secrets begin with, its parameter SecretPrefix; else "+envPrefix+", else "+defaultPrefix)
	f.StringVar(&d.operators, "operators", "",
		"the `ARNS` of roles and users that are meant to invoke the alias admin, separated by commas")
	f.BoolVar(&d.json, "json", false, "print JSON")
}

// grade is how a check ended.
type grade string

const (
	fine    grade = "ok"
	warning grade = "warning"
	failed  grade = "failed"
)

// check is one thing that was looked at.
type check struct {
	Subject string `json:"subject"`
	Grade   grade  `json:"grade"`
	Finding string `json:"finding"`
	Advice  string `json:"advice,omitempty"` // what to do; "": nothing
}

// findings are the checks that were made.
type findings struct {
	expected
	all []check
}

func (f *findings) ok(subject, format string, args ...any) {
	f.all = append(f.all, check{Subject: subject, Grade: fine, Finding: fmt.Sprintf(format, args...)})
}

func (f *findings) warn(subject, finding, advice string) {
	f.all = append(f.all, check{subject, warning, finding, advice})
}

func (f *findings) fail(subject, finding, advice string) {
	f.all = append(f.all, check{subject, failed, finding, advice})
}

// unread notes what could not be looked at: for want of permission it is a warning, else a failure.
func (f *findings) unread(subject string, err error) {
	text, _ := explain(err)
	said, ok := errors.AsType[smithy.APIError](err)
	e, ours := errors.AsType[*awsError](err)
	if ours && e.isDenied() || ok && slices.Contains(denials, said.ErrorCode()) {
		f.warn(subject, "not looked at: "+text, "")
		return
	}
	f.fail(subject, text, "")
}

func (f *findings) count(v grade) (n int) {
	for _, c := range f.all {
		if c.Grade == v {
			n++
		}
	}
	return n
}

func (d *doctor) run(ctx context.Context, c console, args []string) error {
	if err := noArguments(args); err != nil {
		return err
	}
	f, err := d.begin()
	if err != nil {
		return err
	}
	at, err := d.place(ctx)
	if err != nil {
		return err
	}
	if at.data != "" {
		f.machine(ctx, at)
	} else if err := f.stack(ctx, at, d.prefix.orDefault()); err != nil {
		return err
	}
	if err := f.print(c, d.json); err != nil {
		return err
	}
	if n := f.count(failed); n > 0 {
		return fmt.Errorf("%d of %d checks failed", n, len(f.all))
	}
	return nil
}

// begin reads who is meant to have what. Beside --function, --url names the
// stack's API and not where requests go.
func (d *doctor) begin() (f findings, err error) {
	if f.operators, err = parseOperators(d.operators); err != nil {
		return f, err
	}
	f.api = apiOf(d.url).id
	if d.url != "" && d.function != "" {
		if f.api == "" {
			return f, usage("--url beside --function: expected the stack's output ApiUrl, " +
				"https://ID.execute-api.REGION.amazonaws.com")
		}
		d.url = ""
	}
	return f, nil
}

func (f *findings) print(c console, asJSON bool) error {
	if asJSON {
		return c.JSON(map[string]any{"checks": f.all, "failed": f.count(failed), "warnings": f.count(warning)})
	}
	var rows [][]string
	for _, one := range f.all {
		line := strings.Join(strings.Fields(one.Finding), " ")
		if one.Advice != "" {
			line += "; " + one.Advice
		}
		rows = append(rows, []string{string(one.Grade), one.Subject, line})
	}
	return c.Table(rows)
}

// mostLooked bounds how many credentials are looked at one by one.
const mostLooked = 200

// tokens looks at the state of each credential's default token, as the server tells it. No token is asked for.
func (f *findings) tokens(ctx context.Context, at *remote) {
	all, err := at.List(ctx)
	if err != nil {
		f.unread("server", err)
		return
	}
	f.ok("server", "answers, and lists %d credentials", len(all))
	if len(all) > mostLooked {
		f.warn("tokens", fmt.Sprintf("only the first %d of %d were looked at", mostLooked, len(all)), "")
		all = all[:mostLooked]
	}
	for _, one := range all {
		report, err := at.Status(ctx, one.Credential)
		if err != nil {
			f.unread("token "+one.Credential, err)
			continue
		}
		f.state(report)
	}
}

func (f *findings) state(r api.StatusReport) {
	subject, says, do := "token "+r.Credential, string(r.State)+": "+meanings[r.State], ""
	if r.Failure != nil {
		says += "; " + uncapitalised(r.Failure.Code.Title()) + ": " + strings.TrimSuffix(r.Failure.Detail, ".")
		do = advice[r.Failure.Code]
	}
	switch {
	case r.State == api.Failing, r.State == api.Reauthorize:
		f.fail(subject, says, do)
	case r.State == api.Stale, r.State == api.Revoking, r.Failure != nil:
		f.warn(subject, says, do)
	default:
		f.ok(subject, "%s", says)
	}
}
