package callers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/spf13/cobra"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/auditlog"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/command"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/quota"
)

// usage is the command usage.
type usage struct {
	command.Program
	connection.Flags
	command.Output
	since time.Duration
	log   string
}

// usual is how far back the command looks without --since.
const usual = 7 * 24 * time.Hour

func newUsage(p command.Program) *cobra.Command {
	u := &usage{Program: p}
	cmd := &cobra.Command{
		Use:   "usage NAME",
		Short: "Lists who has requested the tokens of a credential, and how often",
		Long: `It counts the lines that vends leave in the log. Of a stack, it asks CloudWatch Logs Insights, which
charges for the log that it reads. A server on this machine keeps no log: --log names the file that its
standard error was written to. A caller that keeps a token until its cache_until requests one a token.
Of a stack, it also shows how much of the provider's quota of token requests is used, where one is stated.
`,
		Example: "tokenvend usage minut --function tokenvend-VendFunction-1A2B3C --since 24h\n" +
			"journalctl -u tokenvend -o cat | tokenvend usage minut --log -",
		Args: command.OneName,
		RunE: func(cmd *cobra.Command, args []string) error { return u.run(cmd.Context(), p.Hints(cmd), args[0]) },
	}
	u.Flags.Register(cmd.Flags())
	u.Output.Register(cmd)
	cmd.Flags().DurationVar(&u.since, "since", usual, "count the requests of this last `DURATION`, as in 24h")
	cmd.Flags().StringVar(&u.log, "log", "", "read the log of a server on this machine from this `FILE`, "+
		"or - for standard input")
	cmd.MarkFlagsMutuallyExclusive("log", "function")
	cmd.MarkFlagsMutuallyExclusive("log", "url")
	cmd.ValidArgsFunction = command.CompleteNames(&u.Flags)
	return cmd
}

// used is what usage writes for programs.
type used struct {
	Credential string            `json:"credential"`
	Since      time.Time         `json:"since"`
	Callers    []auditlog.Caller `json:"callers"`
	Quota      *quota.Use        `json:"quota,omitempty"`
}

func (u *usage) run(ctx context.Context, commands hint.Commands, name string) error {
	if u.since <= 0 {
		return clierror.Usage("--since: expected a duration above 0")
	}
	since := time.Now().Add(-u.since).UTC().Truncate(time.Second)
	count := u.ofStack
	if u.log != "" {
		count = u.ofLog
	}
	found, err := count(ctx, commands, name, since)
	if err != nil {
		return err
	}
	all := used{name, since, found, u.quota(ctx, commands, name)}
	return u.Print(u.Console, all, func() error {
		if err := u.table(all); err != nil || all.Quota == nil {
			return err
		}
		return u.Printf("quota: %v\n", all.Quota)
	})
}

// table writes one line for each caller.
func (u *usage) table(all used) error {
	if len(all.Callers) == 0 {
		return u.Printf("%s: no request in the log since %s\n", all.Credential, all.Since.Format(time.RFC3339))
	}
	rows := [][]string{{"CALLER", "TOKENS", "REFUSALS", "LAST"}}
	for _, c := range all.Callers {
		rows = append(rows, []string{
			cmp.Or(c.Caller, "-"), strconv.Itoa(c.Tokens), strconv.Itoa(c.Refusals),
			c.LastAt.UTC().Format(time.RFC3339),
		})
	}
	return u.Table(rows)
}

// quota returns how much of a provider's quota of token requests is used; nil:
// none is stated, the credential is none any more, or only a log is read.
func (u *usage) quota(ctx context.Context, commands hint.Commands, name string) *quota.Use {
	if u.log != "" {
		return nil
	}
	caller, err := u.Client(ctx, commands)
	if err == nil {
		var status api.StatusReport
		if status, err = caller.Status(ctx, name); err == nil {
			return status.Quota
		}
	}
	if refused, ok := errors.AsType[*api.Error](err); !ok || refused.Code != api.UnknownCredential {
		text, _ := clierror.Explain(err, commands)
		u.Say("Whether a quota is used up is not known: %s", terminal.Lines(text))
	}
	return nil
}

// ofLog counts in the log of a server on one machine.
func (u *usage) ofLog(_ context.Context, _ hint.Commands, name string, since time.Time) ([]auditlog.Caller, error) {
	var log io.Reader = u.Input()
	if u.log != "-" {
		file, err := os.Open(u.log)
		if err != nil {
			return nil, fmt.Errorf("--log: %w", err)
		}
		defer func() { _ = file.Close() }()
		log = file
	}
	return auditlog.Read(log, name, since)
}

// ofStack counts in the log group of a stack's vend function.
func (u *usage) ofStack(
	ctx context.Context, commands hint.Commands, name string, since time.Time,
) ([]auditlog.Caller, error) {
	place, err := u.Place(ctx, commands)
	if err != nil {
		return nil, err
	}
	if place.IsLocal() {
		return nil, clierror.Usage("--log is needed: a server on this machine keeps no log but writes one to its " +
			"standard error; of a stack, --function names the vend function")
	}
	f, err := openFunction(ctx, place)
	if err != nil {
		return nil, err
	}
	if f.logsNoVends() {
		u.Say("The stack logs no vend, since its LogLevel is %s and its Metrics are off.", f.settings[envLogLevel])
	}
	stack := auditlog.Stack{Logs: cloudwatchlogs.NewFromConfig(place.AWS), Group: f.logGroup}
	found, complete, err := stack.Query(ctx, name, since)
	if err == nil && !complete {
		u.Say("There are more callers than a query returns: ask for a shorter time with --since.")
	}
	return found, err
}

// The settings of a function that decide whether it logs vends; see pkg/boot.
const (
	envLogLevel = "TOKENVEND_LOG_LEVEL"
	envMetrics  = "TOKENVEND_METRICS"
)

// logsNoVends reports whether the function writes no line of a vend: one that
// carries metrics is written at any level.
func (f *function) logsNoVends() bool {
	return f.settings[envMetrics] == "" && slices.Contains([]string{"warn", "error"}, f.settings[envLogLevel])
}
