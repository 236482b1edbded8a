//go:build testall

package bench_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// Lambda gives a function so much of a processor: all of one at 1,769 MB, in
// periods of 20 ms.
const (
	wholeProcessor = 1769   // MB
	period         = 20_000 // µs
)

// quota is a cgroup that holds processes to a function's share of a processor.
type quota string

// newQuota makes one, or says why this machine does not allow it.
func newQuota(b *testing.B, memory int) (quota, error) {
	b.Helper()
	share := period * memory / wholeProcessor
	// cgroup v1
	base, settings := "/sys/fs/cgroup/cpu", map[string]string{
		"cpu.cfs_period_us": fmt.Sprint(period), "cpu.cfs_quota_us": fmt.Sprint(share),
	}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		// cgroup v2
		base, settings = "/sys/fs/cgroup", map[string]string{"cpu.max": fmt.Sprint(share, " ", period)}
	}
	dir := filepath.Join(base, fmt.Sprintf("tokenvend-bench-%d-%d", os.Getpid(), memory))
	if err := os.Mkdir(dir, 0o755); err != nil {
		return "", err
	}
	b.Cleanup(func() { _ = os.Remove(dir) })
	for file, value := range settings {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(value), 0o644); err != nil {
			return "", err
		}
	}
	return quota(dir), nil
}

// around is a program that puts itself under the quota and becomes the one at
// path: a shell's start is part of what is measured then, and the same for all.
func (q quota) around(b *testing.B, path string) string {
	b.Helper()
	script := filepath.Join(b.TempDir(), "held")
	text := fmt.Sprintf("#!/bin/sh\necho $$ > %s/cgroup.procs\nexec %s\n", q, path)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		b.Fatal(err)
	}
	return script
}
