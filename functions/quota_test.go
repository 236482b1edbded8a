package functions_test

import (
	"bufio"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/tokenvend/tokenvend/internal/testbed"
	"github.com/tokenvend/tokenvend/pkg/api"
	"github.com/tokenvend/tokenvend/pkg/provider/simulator"
)

// quotaLine is what a line mint says of a quota.
type quotaLine struct {
	Msg, Level, Credential, Quota string
	ProviderQuotaUsed             float64
	Metrics                       struct {
		CloudWatchMetrics []struct{ Metrics []struct{ Name, Unit string } }
	} `json:"_aws"`
}

// quotaLines ends a process, so that all its output has been read, and returns
// its lines mint.
func quotaLines(t *testing.T, p *testbed.Bootstrap) (lines []quotaLine) {
	t.Helper()
	p.Kill()
	for all := bufio.NewScanner(strings.NewReader(p.Output())); all.Scan(); {
		var line quotaLine
		if json.Unmarshal(all.Bytes(), &line) == nil && line.Msg == "mint" {
			lines = append(lines, line)
		}
	}
	return lines
}

// A credential with a quota of five requests requests a token for each of five
// scopes. The period is a month, so that hardly any run crosses its end.
func TestQuotaRaisesAlarm(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	scopes := []string{"a", "b", "c", "d", "e"}
	h.put("minut", "minut", map[string]any{
		"quota": map[string]any{"requests": 5, "per": "month"}, "allow": map[string]any{"scopes": scopes},
	})
	h.put("monta", "monta", nil)
	p := h.start("vend")
	h.token("monta")
	for _, scope := range scopes {
		h.vendByScope(scope)
	}
	if q := h.status("minut").Quota; q == nil || q.Used != 5 || q.Requests != 5 || q.Per != "month" {
		t.Errorf("the quota in the status of minut = %v, want 5 of 5 this month", q)
	}
	if q := h.status("monta").Quota; q != nil {
		t.Errorf("the quota in the status of monta = %v, want none", q)
	}
	series, minute := testbed.Series{"ProviderQuotaUsed": {}}, 0
	for _, line := range quotaLines(t, p) {
		if line.Credential != "minut" {
			if line.Quota != "" || line.ProviderQuotaUsed != 0 {
				t.Errorf("the line mint of %s = %+v, want no quota", line.Credential, line)
			}
			continue
		}
		if minute++; line.ProviderQuotaUsed != float64(20*minute) {
			t.Errorf("ProviderQuotaUsed of token %d = %v, want %d", minute, line.ProviderQuotaUsed, 20*minute)
		}
		if isWarning := line.Level == "WARN"; isWarning != (minute >= 4) {
			t.Errorf("the level of the line of token %d is %s, want a warning from the fourth on", minute, line.Level)
		}
		if all := line.Metrics.CloudWatchMetrics; len(all) != 1 || !slices.ContainsFunc(all[0].Metrics,
			func(m struct{ Name, Unit string }) bool { return m.Name == "ProviderQuotaUsed" && m.Unit == "Percent" }) {
			t.Errorf("the metrics of token %d = %v, want ProviderQuotaUsed in percent", minute, all)
		}
		series["ProviderQuotaUsed"][minute] = []float64{line.ProviderQuotaUsed}
	}
	if minute != 5 {
		t.Fatalf("the log has %d lines mint of minut, want 5", minute)
	}
	alarms, _ := testbed.Alarms(t)
	if first, times := raised(alarms["QuotaAlarm"].Evaluate(series, 120)); first != 4 || times != 1 {
		t.Errorf("QuotaAlarm is raised %d times, first in minute %d; want once, in minute 4", times, first)
	}
}

// A quota costs one write for each attempt, and none that the store refuses
// keeps a token back.
func TestFailedCountKeepsNoTokenBack(t *testing.T) {
	t.Parallel()
	h := newInstallation(t, simulator.Options{})
	h.put("minut", "minut", map[string]any{
		"quota": map[string]any{"requests": 5, "per": "month"},
		"allow": map[string]any{"scopes": []string{"a", "b", "c"}},
	})
	p := h.start("vend")
	h.vendByScope("a")
	h.take("vend")
	h.vendByScope("b")
	store, _ := h.take("vend")
	if store["UpdateItem"] != 3 {
		t.Errorf("a vend of another scope = %d UpdateItem, want 3: the lease, the commit and the count", store["UpdateItem"])
	}
	restore := h.aws["vend"].store.Fail("UpdateItem", 2)
	h.vendByScope("c")
	restore()
	if answer, refused := h.direct("admin", api.Request{Credential: "minut", Scope: "c"}); refused != nil {
		t.Errorf("vend of what was obtained without a count = %s, %v, want the token", answer, refused)
	}
	if q := h.status("minut").Quota; q == nil || q.Used != 2 {
		t.Errorf("the quota in the status = %v, want the 2 that were counted", q)
	}
	lines := quotaLines(t, p)
	if len(lines) != 3 || lines[2].Quota != "" || lines[2].Level != "INFO" {
		t.Errorf("the lines mint = %+v, want 3, the last one without a quota", lines)
	}
	if !strings.Contains(p.Output(), `"msg":"quota","credential":"minut"`) {
		t.Errorf("the log = %s, want a warning of the count", p.Output())
	}
}
