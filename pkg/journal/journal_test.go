package journal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/pkg/journal"
	"github.com/tokenvend/tokenvend/pkg/xray"
)

func written(t *testing.T, write func(journal.Journal)) map[string]any {
	t.Helper()
	var out bytes.Buffer
	write(journal.Journal{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("the output = %q, want one line of JSON", out.String())
	}
	return line
}

func TestAVendIsOneLine(t *testing.T) {
	line := written(t, func(j journal.Journal) {
		j.Vend(t.Context(), journal.Vend{
			Action: "vend", Caller: "arn:x", Credential: "minut", Variant: "-", Fingerprint: "9f86d081884c7d65",
			Source: "memory", RequestID: "r", Took: 1500 * time.Microsecond,
		})
	})
	for name, want := range map[string]any{
		"msg": "vend", "level": "INFO", "caller": "arn:x", "credential": "minut", "fingerprint": "9f86d081884c7d65",
		"source": "memory", "request_id": "r", "ms": 1.5,
	} {
		if line[name] != want {
			t.Errorf("%s: %v, want %v", name, line[name], want)
		}
	}
	for _, absent := range []string{"code", "detail", "stale", "action"} {
		if _, there := line[absent]; there {
			t.Errorf("the line has %s, want it left out", absent)
		}
	}
}

func TestStartHasTheVersion(t *testing.T) {
	line := written(t, func(j journal.Journal) { j.Start(t.Context(), "v1.2.3") })
	if line["msg"] != "start" || line["level"] != "INFO" || line["version"] != "v1.2.3" ||
		line["go"] != runtime.Version() {
		t.Errorf("Start(v1.2.3) wrote %v, want its version and Go's", line)
	}
}

func TestRefusalIsAWarning(t *testing.T) {
	line := written(t, func(j journal.Journal) {
		j.Vend(t.Context(), journal.Vend{Action: "status", Code: "access_denied", Detail: "why"})
	})
	if line["msg"] != "refusal" || line["level"] != "WARN" || line["action"] != "status" ||
		line["code"] != "access_denied" {
		t.Errorf("the line of a refused status = %v, want a warning", line)
	}
}

func TestFailedMintIsAWarning(t *testing.T) {
	line := written(t, func(j journal.Journal) {
		j.Mint(t.Context(), journal.Mint{Credential: "minut", Attempt: 1, Code: "provider_rejected"})
	})
	if line["msg"] != "mint" || line["level"] != "WARN" || line["attempt"] != 1.0 {
		t.Errorf("the line of a failed mint = %v, want a warning", line)
	}
}

func TestAPanicShowsNoValue(t *testing.T) {
	for _, value := range []any{"hush", errors.New("hush")} {
		line := written(t, func(j journal.Journal) { j.Panic(t.Context(), value, "r") })
		if text, _ := json.Marshal(line); strings.Contains(string(text), "hush") || line["msg"] != "panic" ||
			line["stack"] == "" {
			t.Errorf("the line of a panic = %s, want the stack and not the value", text)
		}
	}
}

func TestTheZeroJournalIsSilent(t *testing.T) {
	journal.Journal{}.Vend(t.Context(), journal.Vend{})
}

func TestAttack23_LongTextsAreCut(t *testing.T) {
	long := strings.Repeat("é", 1<<20)
	line := written(t, func(j journal.Journal) {
		j.Vend(t.Context(), journal.Vend{
			Action: long, Caller: long, Credential: long, Variant: long, Fingerprint: long, Source: long, Code: long,
			Detail: long, RequestID: long,
		})
	})
	for name, value := range line {
		if text, ok := value.(string); ok && (len(text) > 2100 || strings.ContainsRune(text, '\uFFFD')) {
			t.Errorf("%s has %d bytes, want about 2048 whole characters: %.40q", name, len(text), text)
		}
	}
	if text, _ := line["caller"].(string); !strings.HasPrefix(text, "éé") ||
		!strings.HasSuffix(text, "é… (2097152 bytes)") {
		t.Errorf("caller = %.20q … %q, want its start and its length", text, text[max(0, len(text)-30):])
	}
	lost := journal.NotPersisted{Credential: "minut", Variant: "-", Generation: 7, Recovery: long}
	line = written(t, func(j journal.Journal) { j.NotPersisted(t.Context(), lost) })
	if line["recovery"] != long {
		t.Errorf("recovery has %d bytes, want all %d", len(line["recovery"].(string)), len(long))
	}
}

func TestTraceIDIsInTheLine(t *testing.T) {
	const id = "1-5759e988-bd862e3fe1be46a994272793"
	traced := xray.NewContext(t.Context(), "Root="+id+";Sampled=0")
	line := written(t, func(j journal.Journal) { j.Vend(traced, journal.Vend{Action: "vend"}) })
	if line["trace_id"] != id {
		t.Errorf("the line of a traced vend = %v, want the trace ID %s", line, id)
	}
	line = written(t, func(j journal.Journal) { j.Vend(t.Context(), journal.Vend{Action: "vend"}) })
	if _, there := line["trace_id"]; there {
		t.Errorf("the line of a vend = %v, want no trace_id", line)
	}
}
