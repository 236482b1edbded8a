package loopback_test

import (
	"testing"

	"github.com/tokenvend/tokenvend/pkg/loopback"
)

func TestIsHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.255.0.1": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "localhost.example": false, "LOCALHOST": false,
		"127.1": false, "127.0.0.1.example": false, "[::1]": false, "localhost.": false,
	} {
		t.Run(host, func(t *testing.T) {
			if got := loopback.IsHost(host); got != want {
				t.Errorf("IsHost(%q) = %t, want %t", host, got, want)
			}
		})
	}
}
