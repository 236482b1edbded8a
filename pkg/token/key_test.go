package token_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tokenvend/tokenvend/pkg/token"
)

func TestCanonicalForm(t *testing.T) {
	for want, v := range map[string]token.Variant{
		"-":          {},
		"scope=read": token.NewVariant("", "", "read"),
		"account=ann&audience=api&scope=read%20write":       token.NewVariant("ann", "api", "write  read read\t"),
		"audience=https%3A%2F%2Fapi.example.com%2F%3Fa%3Db": token.NewVariant("", "https://api.example.com/?a=b", " "),
		"account=a%2Bb%26scope%3Dx%3D%25%20~-._":            token.NewVariant("a+b&scope=x=% ~-._", "", ""),
		"account=s%C3%B8ren":                                token.NewVariant("søren", "", ""),
		"scope=A%20a%20b%3A1":                               token.NewVariant("", "", "b:1 a A"),
	} {
		if got := v.String(); got != want {
			t.Errorf("%+v is %q, not %q", v, got, want)
		}
		if got, err := token.ParseVariant(want); err != nil || got != v {
			t.Errorf("%q is read as %+v, %v", want, got, err)
		}
	}
}

func TestOtherSpellingsAreRefused(t *testing.T) {
	for _, s := range []string{
		"", "--", "- ", "&", "scope=", "account=", "account=&scope=read", "-&scope=read", "scope=read&", "&scope=read",
		"scope=write%20read", "scope=read%20read", "scope=%20read", "scope=read+write", "scope=read write",
		"scope=%72ead",
		"scope=a%3ab", "scope=%", "scope=%zz", "scope=a=b", "Scope=read", "other=1", "scope=read&other=1", "read",
		"scope=read&account=ann", "scope=read&scope=write", "account=ann&account=ann", "audience=x&account=y",
		"sha256=" + strings.Repeat("0", 64),
	} {
		if v, err := token.ParseVariant(s); err == nil {
			t.Errorf("%q was read as %+v", s, v)
		} else if len(s) > 2 && strings.Contains(err.Error(), s) {
			t.Errorf("the error quotes %q", s)
		}
	}
}

func TestOver512BytesAVariantIsNamedByItsHash(t *testing.T) {
	const prefix = "account="
	at := token.NewVariant(strings.Repeat("a", 512-len(prefix)), "", "")
	over := token.NewVariant(strings.Repeat("a", 513-len(prefix)), "", "")
	if at.String() != at.Long() || len(at.String()) != 512 {
		t.Errorf("512 bytes are named %q, want at.String() = %v and len(at.String()) = 512", at, at.Long())
	}
	const want = "sha256=42a384c04683c969de10eae6260f6ed014f5267d28f29b99500d5c6031a70101"
	if got := over.String(); got != want || len(over.Long()) != 513 {
		t.Errorf("513 bytes are named %q, want %v and len(over.Long()) = 513", got, want)
	}
	if v, err := token.ParseVariant(over.Long()); err != nil || v != over {
		t.Errorf("in full it is read as %+v, %v, want no error and v = %v", v, err, over)
	}
}

// drawVariant draws what a caller may ask for; now and then something long.
func drawVariant(t *rapid.T) token.Variant {
	text := rapid.OneOf(rapid.String(), rapid.StringN(0, 400, 2000), rapid.StringMatching(`[a-z&=%+ :/?#.~-]{0,20}`))
	return token.NewVariant(text.Draw(t, "account"), text.Draw(t, "audience"), text.Draw(t, "scope"))
}

func TestFormsAndVariantsAreOneToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawVariant(t)
		back, err := token.ParseVariant(v.Long())
		if err != nil || back != v {
			t.Fatalf("%+v became %+v, %v, want no error and back = %v", v, back, err, v)
		}
		if again := token.NewVariant(v.Account, v.Audience, v.Scope); again != v || again.String() != v.String() {
			t.Fatalf("%+v became %+v, want again = %v and again.String() = %v", v, again, v, v.String())
		}
		if len(v.String()) > 512 ||
			strings.Trim(v.String(), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%=&") != "" {
			t.Fatalf("%+v is named %q", v, v)
		}
		if w := drawVariant(t); (w == v) != (w.String() == v.String()) {
			t.Fatalf("%+v and %+v are named %q and %q", v, w, v, w)
		}
	})
}

func TestWhatIsReadIsWrittenTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringMatching(`(account=[a-b%20F]{0,6})?&?(audience=[a-b]{0,3})?&?(scope=([a-b]|%20){0,5})?`).
			Draw(t, "s")
		if v, err := token.ParseVariant(s); err == nil && v.Long() != s {
			t.Fatalf("%q is written %q", s, v.Long())
		}
	})
}

func TestKeysComeBackFromAStoresTwoNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := token.RecordKey("minut")
		if rapid.Bool().Draw(t, "variant") {
			key = token.Key{Credential: "minut", Variant: drawVariant(t)}
		}
		got, err := token.ParseKey(key.PartitionKey(), key.SortKey(), key.Variant.Long())
		if err != nil || got != key {
			t.Fatalf("%v became %v, %v, want no error and got = %v", key, got, err, key)
		}
	})
}

func TestOwnRowsAreKeysOfTheirOwn(t *testing.T) {
	own, standard := token.RecordKey("minut"), token.Key{Credential: "minut"}
	if own == standard || !own.IsRecord() || standard.IsRecord() {
		t.Errorf("RecordKey equals the key of the default variant, want own other than %v and own.IsRecord() and not standard.IsRecord()", standard)
	}
	if own.String() != "*/minut" || standard.String() != "minut/-" {
		t.Errorf(`they are named %v and %v, want own.String() = "*/minut" and standard.String() = "minut/-"`, own,
			standard)
	}
	if own.PartitionKey() != token.RecordPartition || own.SortKey() != "minut" || standard.PartitionKey() != "minut" ||
		standard.SortKey() != "-" {
		t.Errorf(`a store keeps them elsewhere, want own.Partition() = %v and own.Sort() = "minut" and standard.Partition() = "minut" and standard.Sort() = "-"`, token.RecordPartition)
	}
	if own != token.RecordKey("minut") || own == token.RecordKey("monta") {
		t.Errorf("RecordKey(name) does not sort by name, want own = %v and own other than %v",
			token.RecordKey("minut"), token.RecordKey("monta"))
	}
}

func TestHashedKeysNeedTheirVariantInFull(t *testing.T) {
	long := token.NewVariant("", "", strings.Repeat("scope-", 100))
	key := token.Key{Credential: "minut", Variant: long}
	if got, err := token.ParseKey("minut", key.SortKey(), long.Long()); err != nil || got != key {
		t.Errorf("read as %v, %v, want no error and got = %v", got, err, key)
	}
	for _, full := range []string{"", "-", "scope=read", key.SortKey(), long.Long() + "x"} {
		if got, err := token.ParseKey("minut", key.SortKey(), full); err == nil {
			t.Errorf("with %q: %v, want an error", full, got)
		}
	}
	for _, sort := range []string{"", "scope=b%20a", "sha256=00"} {
		if got, err := token.ParseKey("minut", sort, "scope=read"); err == nil {
			t.Errorf("%q: %v, want an error", sort, got)
		}
	}
}
