package provider

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestCaseC06_TheRequestAsksForIdentity(t *testing.T) {
	v := serve(t, says(200, `{"access_token":"a"}`))
	if _, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds); err != nil {
		t.Fatal(err)
	}
	if got := v.lastRequest(); !strings.Contains(got, "Accept-Encoding: identity\n") {
		t.Errorf("Exchange sent\n%s\nwant it to ask for identity", got)
	}
}

func TestFault39_HugeBodyLeavesMemoryFlat(t *testing.T) {
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for range 1024 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := at(parse(t, plain), alice, v.hc).Exchange(context.Background(), creds)
	runtime.ReadMemStats(&after)
	e := must(t, asError(t, err), Malformed)
	if e.Description != "the answer is longer than 1 MiB" {
		t.Errorf(`%v, want e.Description = "the answer is longer than 1 MiB"`, e)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 8<<20 {
		t.Errorf("Exchange allocates %d bytes for a gigabyte, want 8 MiB at most", grown)
	}
}

func TestFault39_SlowDripEndsWithTheDeadline(t *testing.T) {
	v := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for {
			if _, err := io.WriteString(w, " "); err != nil || r.Context().Err() != nil {
				return
			}
			_ = http.NewResponseController(w).Flush()
			time.Sleep(10 * time.Millisecond)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, err := at(parse(t, plain), alice, v.hc).Exchange(ctx, creds)
	e := must(t, asError(t, err), Unavailable)
	if time.Since(begun) > 2*time.Second || !e.Sent || e.Unwrap() != context.DeadlineExceeded ||
		e.Description != "login.test: timed out" {
		t.Errorf(`%v after %v, want time.Since(begun) <= 2*time.Second and e.Sent and e.Unwrap() = %v and e.Description = "login.test: timed out"`, e, time.Since(begun), context.DeadlineExceeded)
	}
}
