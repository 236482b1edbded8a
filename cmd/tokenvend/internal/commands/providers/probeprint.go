package providers

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/probe"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/terminal"
)

func writeReadings(b *strings.Builder, r probe.Result) {
	if len(r.Read) == 0 {
		return
	}
	b.WriteString("What was read:\n")
	rows := [][]string{{"  FIELD", "LOOKED FOR AT", "FOUND", "VALUE"}}
	for _, one := range r.Read {
		rows = append(rows, []string{"  " + one.Field, one.Place, yesOrNo(one.Found), one.Value})
	}
	b.WriteString(terminal.Columns(rows))
	for _, warning := range r.Warnings {
		b.WriteString("warning: " + warning + "\n")
	}
}

func writeExchange(b *strings.Builder, x probe.Exchange) {
	title := "The token request"
	switch {
	case x.Step != "":
		title = "The request of step " + x.Step
	case x.Then:
		title = "The request then, after the token request"
	}
	fmt.Fprintf(b, "%s:\n", title)
	if x.Request.Problem != "" {
		fmt.Fprintf(b, "  cannot be built: %s\n\n", x.Request.Problem)
		return
	}
	fmt.Fprintf(b, "  %s %s\n", x.Request.Method, x.Request.URL)
	for _, name := range slices.Sorted(maps.Keys(x.Request.Header)) {
		fmt.Fprintf(b, "  %s: %s\n", name, x.Request.Header[name])
	}
	if x.Request.Certificate {
		b.WriteString("  with the client certificate\n")
	}
	if x.Request.Body != "" {
		fmt.Fprintf(b, "\n  %s\n", strings.ReplaceAll(x.Request.Body, "\n", "\n  "))
	}
	b.WriteString("\n")
	writeAnswer(b, x.Answer)
}

func writeAnswer(b *strings.Builder, a *probe.Response) {
	if a == nil {
		b.WriteString("No answer arrived.\n\n")
		return
	}
	fmt.Fprintf(b, "The answer: HTTP %d, %s\n", a.Status, a.Format)
	var rows [][]string
	for _, m := range a.Members {
		rows = append(rows, []string{"  " + m.Place, m.Type})
	}
	b.WriteString(terminal.Columns(rows))
	if len(a.Header) > 0 {
		fmt.Fprintf(b, "  with the header fields %s\n", strings.Join(a.Header, ", "))
	}
	b.WriteString("\n")
}
