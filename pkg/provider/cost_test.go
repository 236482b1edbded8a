//go:build unix

package provider

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mostAllocated is what one exchange may allocate, in bytes.
const mostAllocated = 8 << 20

// fill repeats a text between two others up to a mebibyte.
func fill(before, text, after string) string {
	return before + strings.Repeat(text, (maxBody-len(before)-len(after))/len(text)) + after
}

// fillN is fill with a number in each text, so that no two are equal.
func fillN(before, format, after string) string {
	var b strings.Builder
	b.WriteString(before)
	for i := 0; b.Len() < maxBody-len(after)-len(format)-10; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String() + after
}

// costly are answers that are made to cost much.
func costly() map[string]http.HandlerFunc {
	bodies := map[string]string{
		"a token of 1 MiB":            fill(`{"access_token":"`, "x", `"}`),
		"a token of 1 MiB in escapes": fill(`{"access_token":"`, `\u0041`, `"}`),
		"a refresh token of 1 MiB":    fill(`{"access_token":"a","refresh_token":"`, `x`, `"}`),
		"a token of 64 KiB that is repeated": `{"access_token":"` + strings.Repeat("x", maxToken) +
			fill(`","error":"x","error_description":"`, "x", "")[:900_000] + `"}`,
		"1 MiB of names":                  fillN(`{"access_token":"a"`, `,"name%d":0`, `}`),
		"1 MiB of names of that length":   fillN(`{"access_token":"a"`, `,"name%08d":0`, `}`),
		"1 MiB of empty names":            fill(`{"access_token":"a"`, `,"":0`, `}`),
		"1 MiB of escaped names":          fill(`{"access_token":"a"`, `,"\u0061ccess_tokem":0`, `}`),
		"1 MiB of equal names":            fill(`{"a":0`, `,"access_token":"a"`, `}`),
		"1 MiB of equal names of objects": fill(`{"a":0`, `,"error":{}`, `}`),
		"1 MiB of refresh tokens": fillN(
			`{"access_token":"`+strings.Repeat("QUJD", maxToken/4)+`"`,
			`,"refresh_token":"refresh-%d"`,
			`}`,
		),
		"a token in base64 of base64": `{"refresh_token":"refresh-1","access_token":"` +
			base64.StdEncoding.EncodeToString([]byte(strings.Repeat("UVVKRA", maxToken/8))) + `"}`,
		"1 MiB of names in two cases":     fill(`{"a":0`, `,"ACCESS_TOKEN":"a","Access_Token":"b"`, `}`),
		"1 MiB of empty arrays":           fill(`{"access_token":"a","x":[0`, `,[]`, `]}`),
		"1 MiB of empty objects":          fill(`[{}`, `,{}`, `]`),
		"1 MiB of open arrays":            fill(``, `[`, ``),
		"1 MiB of open objects":           fill(``, `{"a":`, ``),
		"9,000 levels":                    strings.Repeat("[", 9000) + strings.Repeat("]", 9000),
		"1 MiB of quotes":                 fill(`{"access_token":"`, `\"`, `"}`),
		"1 MiB of digits":                 fill(`{"access_token":"a","expires_in":`, `9`, `}`),
		"1 MiB of digits in a text":       fill(`{"access_token":"a","expires_in":"`, `9`, `"}`),
		"1 MiB of colons in an expiry":    fill(`{"access_token":"a","expires_in":"`, `1:`, `"}`),
		"1 MiB of scope":                  fill(`{"access_token":"a","scope":"`, `a `, `"}`),
		"1 MiB of scopes":                 fill(`{"access_token":"a","scope":["a"`, `,"a"`, `]}`),
		"1 MiB of type":                   fill(`{"access_token":"a","token_type":"`, `a `, `"}`),
		"1 MiB of error":                  fill(`{"error":"`, `x`, `"}`),
		"1 MiB of description":            fill(`{"error":"x","error_description":"`, `CLIENT_SECRET `, `"}`),
		"1 MiB of description in escapes": fill(`{"error":"x","error_description":"`, `\\u0043%25&amp;`, `"}`),
		"1 MiB of base64":                 fill(`{"error":"x","error_description":"`, `QUJDRA`, `"}`),
		"1 MiB of a form":                 fillN(`access_token=a`, `&name%d=1`, ``),
		"1 MiB of ampersands":             fill(`access_token=a`, `&`, ``),
		"1 MiB of a form's token":         fill(`access_token=`, `%41`, ``),
		"1 MiB of HTML":                   fill(`<html>`, `<p>x</p>`, ``),
		"1 MiB of spaces":                 fill(``, ` `, ``),
		"1 MiB that is no UTF-8":          fill(`{"access_token":"`, "\xff", `"}`),
		"a JWT with claims of 45 KiB": `{"access_token":"e30.` +
			base64.RawURLEncoding.EncodeToString([]byte(`{"x":[0`+strings.Repeat(`,[]`, 15_000)+`]}`)) + `.x"}`,
		"more than 1 MiB": fill(``, ` `, ``) + "  ",
	}
	all := map[string]http.HandlerFunc{}
	for name, body := range bodies {
		all[name] = says(200, body)
		all[name+", refused"] = says(401, body)
	}
	bomb := compressed("gzip", `{"access_token":"`+strings.Repeat("x", 100<<20))
	all["gzip bomb"] = says(200, string(bomb), "Content-Encoding", "gzip")
	all["gzip of names"] = says(200, string(compressed("gzip", bodies["1 MiB of names"])), "Content-Encoding", "gzip")
	arrays := compressed("zlib", bodies["1 MiB of empty arrays"])
	all["zlib of arrays"] = says(200, string(arrays), "Content-Encoding", "deflate")
	all["many headers"] = func(w http.ResponseWriter, _ *http.Request) {
		for i := range 3000 {
			w.Header().Set(fmt.Sprintf("X-%d", i), "12345")
		}
		_, _ = io.WriteString(w, `{"access_token":"a"}`)
	}
	all["many limits"] = says(200, `{"access_token":"a"}`, "RateLimit", strings.Repeat(",", 60_000))
	all["many encodings"] = says(200, `{"access_token":"a"}`, "Content-Encoding", strings.Repeat("gzip,", 12_000))
	all["a long Location"] = says(302, ``, "Location", "https://"+strings.Repeat("a", 60_000))
	return all
}

func compressed(coding, text string) []byte {
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if coding == "zlib" {
		w = zlib.NewWriter(&b)
	}
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// The figure holds for the provider too, which runs in the same process.
func TestAttack14_ExchangeAllocatesLittleWhateverIsAnswered(t *testing.T) {
	all := costly()
	names := slices.Sorted(maps.Keys(all))
	if testing.Short() {
		names = names[:2]
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			v := serve(t, all[name])
			d := parse(t, plain)
			// the connection, and tables that are built once
			_, _ = at(d, alice, v.hc).Exchange(t.Context(), again)
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			_, err := at(d, alice, v.hc).Exchange(t.Context(), again)
			runtime.ReadMemStats(&after)
			if bytes := after.TotalAlloc - before.TotalAlloc; bytes > mostAllocated {
				t.Errorf("Exchange allocates %d bytes, want %d at most; its error: %v", bytes, mostAllocated, err)
			}
		})
	}
}

// BenchmarkHostileAnswer prints the bytes and the CPU time of an exchange. The
// provider's part is in both.
func BenchmarkHostileAnswer(b *testing.B) {
	all := costly()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			v := serve(b, all[name])
			d := parse(b, plain)
			b.ReportAllocs()
			begun := cpuTime(b)
			for b.Loop() {
				_, _ = at(d, alice, v.hc).Exchange(b.Context(), again)
			}
			b.ReportMetric(float64((cpuTime(b)-begun).Microseconds())/1000/float64(b.N), "cpu-ms/op")
		})
	}
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
