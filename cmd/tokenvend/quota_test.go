package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/commands/doctor/checks"
	"github.com/tokenvend/tokenvend/pkg/api"
)

// The periods are months, so that hardly any run crosses the end of one.
func TestQuotaOfThisMachine(t *testing.T) {
	t.Parallel()
	s := demo(t, t.TempDir())
	tv(t, s.dir, "", "set", "monta", "--quota", "1/month").want(t, clierror.OK)
	tv(t, s.dir, "", "set", "minut", "--quota", "1000000000/month").want(t, clierror.OK)
	for _, name := range []string{"monta", "minut"} {
		s.hasQuota(t, name)
		tv(t, s.dir, "", "revoke", name).want(t, clierror.OK) // it was obtained before there was a quota
		tv(t, s.dir, "", "get", name).want(t, clierror.OK)
	}
	var report api.StatusReport
	out := tv(t, s.dir, "", "status", "monta", "--json").want(t, clierror.OK).out
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Quota == nil || report.Quota.Used != 1 ||
		report.Quota.Requests != 1 || report.Quota.Per != "month" || report.Quota.Until.IsZero() {
		t.Errorf("status monta --json = %s, %v, want its quota", out, err)
	}
	tv(t, s.dir, "", "status", "minut").wantOut(t, clierror.OK, "quota 1 of 1000000000 this month")
	d := diagnose(t, tv(t, s.dir, "", "doctor", "--json"), clierror.OK)
	d.has(t, checks.Fine, "quota minut", "1 of 1000000000 this month")
	d.has(t, checks.Warning, "quota monta", "1 of 1 this month: 100 %", "runbook.md")
	for wrong, field := range map[string]string{
		"0/day": "quota.requests", "-1/day": "quota.requests", "1000000001/month": "quota.requests",
		"5": "quota.per", "5/minute": "quota.per", "5/day/2": "quota.per",
	} {
		tv(t, s.dir, "", "set", "monta", "--quota", wrong).want(t, clierror.Refused, field)
	}
	for _, wrong := range []string{"", "/day", "x/day", "1e3/day"} {
		tv(t, s.dir, "", "set", "monta", "--quota", wrong).want(t, clierror.BadUsage, "--quota")
	}
}

// hasQuota waits until the server has read that a credential states a quota.
func (s *served) hasQuota(t *testing.T, name string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r := tv(t, s.dir, "", "status", name).want(t, clierror.OK)
		if strings.Contains(r.out, "quota") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("status %s = %s after 10 seconds, want a quota", name, r.out)
		}
	}
}
