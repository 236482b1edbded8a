package provider

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// nameServer is a DNS server on loopback, which this process asks from now on
// until the test ends. addresses answers each look-up: one for a name's IPv4
// addresses, another for its IPv6 ones.
func nameServer(t *testing.T, addresses func(name string) []netip.Addr) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for question := make([]byte, 512); ; {
			n, from, err := conn.ReadFrom(question)
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(nameAnswer(question[:n], addresses), from)
		}
	})
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = before
		_ = conn.Close()
		wg.Wait()
	})
}

// What RFC 1035 §4.1 says of a message: a header, then the question, which the
// answer repeats.
const (
	nameHeader = 12
	typeA      = 1
	typeAAAA   = 28
	nameThere  = 0xc00c // the name that the question has
)

// nameAnswer answers a question with the addresses of the kind that was asked
// for.
func nameAnswer(question []byte, addresses func(string) []netip.Addr) []byte {
	var labels []string
	at := nameHeader
	for question[at] != 0 {
		next := at + 1 + int(question[at])
		labels = append(labels, string(question[at+1:next]))
		at = next
	}
	end := at + 5 // past the root, the type and the class
	kind := binary.BigEndian.Uint16(question[at+1:])
	out := append([]byte{}, question[:end]...)
	// an answer, of one who knows
	copy(out[2:nameHeader], []byte{0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	for _, a := range addresses(strings.Join(labels, ".")) {
		if (kind == typeA) != a.Is4() || kind != typeA && kind != typeAAAA {
			continue
		}
		out[7]++
		out = binary.BigEndian.AppendUint16(out, nameThere)
		out = binary.BigEndian.AppendUint16(out, kind)
		// class IN, for no time at all
		out = append(out, 0, 1, 0, 0, 0, 0, 0, byte(a.BitLen()/8))
		out = append(out, a.AsSlice()...)
	}
	return out
}
