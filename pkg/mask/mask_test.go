package mask_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"math/rand/v2"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/mask"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// encodings spell a secret as servers do. before and after stand beside it
// where an encoding mixes it with its surroundings.
var encodings = map[string]func(secret, before, after string) string{
	"as it is":      func(s, _, _ string) string { return s },
	"upper case":    func(s, _, _ string) string { return strings.ToUpper(s) },
	"lower case":    func(s, _, _ string) string { return strings.ToLower(s) },
	"hex":           func(s, b, a string) string { return hex.EncodeToString([]byte(b + s + a)) },
	"HEX":           func(s, b, a string) string { return strings.ToUpper(hex.EncodeToString([]byte(b + s + a))) },
	"odd hex":       func(s, _, _ string) string { return "0" + hex.EncodeToString([]byte(s)) },
	"base64":        func(s, b, a string) string { return base64.StdEncoding.EncodeToString([]byte(b + s + a)) },
	"base64 raw":    func(s, b, a string) string { return base64.RawStdEncoding.EncodeToString([]byte(b + s + a)) },
	"base64 URL":    func(s, b, a string) string { return base64.URLEncoding.EncodeToString([]byte(b + s + a)) },
	"base64URL raw": func(s, b, a string) string { return base64.RawURLEncoding.EncodeToString([]byte(b + s + a)) },
	"base64 in URL": func(s, b, a string) string {
		return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(b + s + a)))
	},
	"query":        func(s, _, _ string) string { return url.QueryEscape(s) },
	"query, lower": func(s, _, _ string) string { return strings.ToLower(url.QueryEscape(s)) },
	"path":         func(s, _, _ string) string { return url.PathEscape(s) },
	"every %":      func(s, _, _ string) string { return each(s, "%%%02x") },
	"% twice":      func(s, _, _ string) string { return url.QueryEscape(each(s, "%%%02x")) },
	"% of HTML":    func(s, _, _ string) string { return url.QueryEscape(each(s, "&#%d;")) },
	"HTML":         func(s, _, _ string) string { return html.EscapeString(s) },
	"HTML decimal": func(s, _, _ string) string { return each(s, "&#%d;") },
	"HTML hex":     func(s, _, _ string) string { return each(s, "&#x%X;") },
	"HTML bare":    func(s, _, _ string) string { return each(s, "&#%04d") },
	"JSON":         func(s, _, _ string) string { return strings.Trim(string(must(json.Marshal(s))), `"`) },
	"JSON of PHP": func(s, _, _ string) string {
		return strings.ReplaceAll(strings.Trim(string(must(json.Marshal(s))), `"`), "/", `\/`)
	},
	"every \\u":    func(s, _, _ string) string { return each(s, "\\u%04x") },
	"every \\x":    func(s, _, _ string) string { return each(s, "\\x%02X") },
	"HTML of JSON": func(s, _, _ string) string { return html.EscapeString(string(must(json.Marshal(s)))) },
	"with control": func(s, _, _ string) string { return strings.Join(strings.Split(s, ""), "\x01") },
}

func each(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// leak returns a piece of the secret that can be read from what is shown.
// It looks for the encodings of each piece, where Line decodes the text.
func leak(shown, secret string) string {
	lower := strings.ToLower(shown)
	inBase64 := base64Runs(shown)
	for i := 0; i+8 <= len(secret); i++ {
		part := secret[i : i+8]
		for _, sign := range []string{
			part, hex.EncodeToString([]byte(part)), html.EscapeString(part), url.QueryEscape(part),
			url.PathEscape(part),
			each(part, "%%%02x"), each(part, "&#%d;"), each(part, "&#x%x;"), each(part, "/u%04x"), each(part, "/x%02x"),
			url.QueryEscape(each(part, "%%%02x")), url.QueryEscape(each(part, "&#%d;")),
			strings.NewReplacer(`"`, `'`, `\`, `/`).Replace(part),
		} {
			if strings.Contains(lower, strings.ToLower(sign)) {
				return fmt.Sprintf("%q as %q", part, sign)
			}
		}
		wanted := bits(part, 8)
		for _, run := range inBase64 {
			if strings.Contains(run, wanted) {
				return fmt.Sprintf("%q in base64", part)
			}
		}
	}
	return ""
}

// base64Runs returns the bits of what may be base64.
func base64Runs(text string) []string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	text = strings.NewReplacer("+", "-", "/", "_").Replace(text)
	var runs []string
	for _, run := range strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(digits, r) }) {
		values := make([]byte, len(run))
		for i := range run {
			values[i] = byte(strings.IndexByte(digits, run[i]))
		}
		runs = append(runs, bits(string(values), 6))
	}
	return runs
}

// bits returns the lower bits of each byte, as digits.
func bits(data string, n int) string {
	var b strings.Builder
	for i := range len(data) {
		for bit := n - 1; bit >= 0; bit-- {
			b.WriteByte('0' + data[i]>>bit&1)
		}
	}
	return b.String()
}

// checks sets how many cases rapid generates.
func checks(t *testing.T, n string) {
	t.Helper()
	before := flag.Lookup("rapid.checks").Value.String()
	if err := flag.Set("rapid.checks", n); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set("rapid.checks", before) })
}

func TestAttack20_NoPieceOfASecretIsShownInAnyEncoding(t *testing.T) {
	n := "10000"
	if testing.Short() {
		n = "500"
	}
	checks(t, n)
	names := make([]string, 0, len(encodings))
	for name := range encodings {
		names = append(names, name)
	}
	special := rapid.SampledFrom([]string{"%41", "&amp;", `\u0041`, `\\`, "//", `\"`, "&", `"`, "<"})
	parts := rapid.OneOf(rapid.StringMatching(`[ -~]{1,8}`), special, special)
	rapid.Check(t, func(t *rapid.T) {
		secret := strings.Join(rapid.SliceOfN(parts, 8, 10).Draw(t, "secret"), "")
		from := rapid.IntRange(0, len(secret)-8).Draw(t, "from")
		cut := secret[from : from+rapid.IntRange(8, len(secret)-from).Draw(t, "length")]
		before := rapid.StringMatching(`[a-z:]{0,4}`).Draw(t, "before")
		after := rapid.StringMatching(`[a-z:]{0,4}`).Draw(t, "after")
		name := rapid.SampledFrom(names).Draw(t, "encoding")
		around := rapid.SampledFrom([]string{" ", `"`, "=", ": ", "<", "'", ""}).Draw(t, "around")
		encoded := encodings[name](cut, before, after)
		if strings.Contains(strings.ToLower(name), "hex") || strings.Contains(name, "base64") {
			encoded = encoded[rapid.IntRange(0, 3).Draw(t, "dropped"):]
		}
		text := "you sent" + around + encoded + around + ", which is not known"

		var s mask.Set
		s.Add("another one, 0123456789")
		s.Add(secret)
		shown := s.Line(text, 1000)
		if found := leak(shown, secret); found != "" {
			t.Fatalf("Line(%q) = %q, which shows %s (%s)", text, shown, found, name)
		}
	})
}

func TestLine(t *testing.T) {
	var s mask.Set
	s.Add(`s3cr3t/+ "ü\`)
	s.Add("CLIENT_SECRET")
	s.Add("no")
	s.Add("ex")
	s.AddValue("https://api.example.com/")
	s.AddValue("application/vnd.x+json")
	s.AddValue("KEY-0123456789")
	s.AddValue("hunter2")
	s.AddValue("api")
	for _, c := range []struct{ name, text, want string }{
		{"nothing secret", "unknown client", "unknown client"},
		{"a host", "auth.example.com is down", "auth.example.com is down"},
		{"a short secret as a word", "there is no such client", "there is [redacted] such client"},
		{"a short secret beside punctuation", "client 'EX': bad", "client '[redacted]': bad"},
		{"a whole secret", "you sent CLIENT_SECRET here", "you sent [redacted] here"},
		{"twice", "CLIENT_SECRETCLIENT_SECRET", "[redacted]"},
		{"the beginning of it", "you sent CLIENT_S...", "you sent [redacted]..."},
		{"seven bytes of it", "you sent CLIENT_...", "you sent CLIENT_..."},
		{"in base64 with its padding", "Basic aWQ6Q0xJRU5UX1NFQ1JFVA==.", "Basic [redacted]."},
		{"with what Line replaces", `you sent s3cr3t/+ "ü\.`, "you sent [redacted]."},
		{"an address that is no secret", "see https://login.test/", "see https://login.test/"},
		{"the whole of a value", "unknown audience https%3A%2F%2FAPI.example.com/", "unknown audience [redacted]"},
		{"a media type that is no secret", "send application/json", "send application/json"},
		{"a piece of a value with digits", "unknown key KEY-0123...", "unknown key [redacted]..."},
		{"a short value with a digit", "bad password: hunter2", "bad password: [redacted]"},
		{"a short value without one", "bad api: hunter21", "bad api: hunter21"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := s.Line(c.text, 200); got != c.want {
				t.Errorf("Line(%q) = %q, want %q", c.text, got, c.want)
			}
		})
	}
}

// Terminal escapes, C1 controls and bidirectional controls do not reach people.
func TestLineIsPrintableASCII(t *testing.T) {
	for _, text := range []string{
		"\x1b]52;c;ZXZpbA==\x07", "\x1b[2J", "\u009b31m", "\u202e gnp.exe", "\u2066x\u2069", "a\u200bb", "\ufeffa",
		"a\r\nb\tc",
		"\x00\x7f", "\xff\xfe", "\u2028line", "äöü 漢字",
	} {
		shown := mask.Line(text, 100)
		if strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("Line(%q) = %q, want printable ASCII alone", text, shown)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, encode := range encodings {
		f.Add("you sent "+encode("s3cr3t/+&<value>", "a", "b")+"!", "s3cr3t/+&<value>", 200)
	}
	f.Fuzz(func(t *testing.T, text, secret string, longest int) {
		if longest < 0 || longest > 2000 {
			return
		}
		var s mask.Set
		s.Add(secret)
		s.AddValue(secret)
		shown := s.Line(text, longest)
		if len(shown) > longest || strings.ContainsFunc(shown, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("Line(%q, %d) = %q, want printable ASCII of that length", text, longest, shown)
		}
	})
}

func TestLineIsCut(t *testing.T) {
	var s mask.Set
	s.Add("CLIENT_SECRET")
	if got := s.Line(strings.Repeat("long ", 1000), 200); len(got) != 200 {
		t.Errorf("Line(long text, 200) has %d bytes, want 200", len(got))
	}
	for at := 1000; at < 1040; at++ { // across the end of what is looked at
		text := strings.Repeat(".", at) + "CLIENT_SECRET" + strings.Repeat(".", 100)
		if shown := s.Line(text, 5000); leak(shown, "CLIENT_SECRET") != "" || len(shown) > 1100 {
			t.Errorf("Line of a secret at byte %d = …%q", at, shown[950:])
		}
	}
}

func TestMarkIsThatOfRedact(t *testing.T) {
	if mask.Mark != redact.Mask {
		t.Errorf("Mark = %q, want redact.Mask = %q", mask.Mark, redact.Mask)
	}
}

// costly are the worst of texts, beside the longest of secrets.
func costly() map[string]func() (mask.Set, string) {
	long := func(n int) string { // nothing repeats, so that each piece is looked up
		r := rand.New(rand.NewPCG(1, 2))
		b := make([]byte, n)
		for i := range b {
			b[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"[r.IntN(64)]
		}
		return string(b)
	}
	with := func(text string) func() (mask.Set, string) {
		return func() (s mask.Set, _ string) {
			token := long(900_000)
			for i := range 3 {
				s.Add(token[i*64<<10 : (i+1)*64<<10])
			}
			return s, text
		}
	}
	return map[string]func() (mask.Set, string){
		"plain":     with("unknown client"),
		"the token": with(long(900_000)),
		"base64":    with(base64.StdEncoding.EncodeToString([]byte(long(1 << 20)[1<<19:]))),
		"hex":       with(strings.Repeat("0123456789abcdef", 1<<16)),
		"entities":  with(strings.Repeat("&amp;%25%u0025&", 1<<16)),
		"slashes":   with(strings.Repeat(`//\/`, 1<<18)),
		"spaces":    with(strings.Repeat(" ", 1<<20)),
		"one byte":  with(strings.Repeat("A", 1<<20)),
	}
}

func TestAttack14_LineCostsLittleWhateverTheText(t *testing.T) {
	for name, make := range costly() {
		t.Run(name, func(t *testing.T) {
			s, text := make()
			s.Line(text, 200) // the table of HTML's names is built once
			const runs = 20
			var before, after runtime.MemStats
			fastest := time.Hour
			runtime.ReadMemStats(&before)
			for range runs {
				begun := time.Now()
				s.Line(text, 200)
				fastest = min(fastest, time.Since(begun))
			}
			runtime.ReadMemStats(&after)
			bytes := (after.TotalAlloc - before.TotalAlloc) / runs
			t.Logf("Line(%d bytes): %v, %d bytes allocated", len(text), fastest, bytes)
			if bytes > 1<<20 {
				t.Errorf("Line(%d bytes) allocates %d bytes, want 1 MiB at most", len(text), bytes)
			}
			if fastest > 20*time.Millisecond { // about 1 ms, were the machine ours
				t.Errorf("Line(%d bytes) takes %v", len(text), fastest)
			}
		})
	}
}
