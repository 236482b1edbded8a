package hint_test

import (
	"testing"

	"github.com/spf13/pflag"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/hint"
)

func TestCommandsRepeatFlags(t *testing.T) {
	set := pflag.NewFlagSet("get", pflag.ContinueOnError)
	for _, name := range []string{"data", "url", "region", "account", "prefix", "redirect"} {
		set.String(name, "default", "")
	}
	args := []string{
		"--data",
		"my folder",
		"--region",
		"eu-west-1",
		"--account",
		"alice",
		"--redirect",
		"x",
		"--prefix",
		"p/",
	}
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	c := hint.New("./tokenvend", set)
	for got, want := range map[string]string{
		c.Line("ls"):                               "./tokenvend ls --region eu-west-1 --data 'my folder'",
		c.Line("serve"):                            "./tokenvend serve --data 'my folder'",
		c.Line("set", "x"):                         "./tokenvend set x --region eu-west-1 --data 'my folder' --prefix p/",
		c.Token("connect", "x"):                    "./tokenvend connect x --account alice --region eu-west-1 --data 'my folder'",
		c.Text("add NAME"):                         "./tokenvend add NAME --data 'my folder'",
		c.WithData("d").Line("ls"):                 "./tokenvend ls --data d",
		c.WithAccount("bob").Token("connect", "x"): "./tokenvend connect x --account bob --region eu-west-1 --data 'my folder'",
		c.Complete("an operator accepts that (tokenvend accept x), or it is connected"): "an operator accepts that " +
			"(./tokenvend accept x --account alice --region eu-west-1 --data 'my folder'), or it is connected",
	} {
		if got != want {
			t.Errorf("the command is %s, want %s", got, want)
		}
	}
	var zero hint.Commands
	if got, want := zero.WithAccount("bob").Token("get", "x"), "tokenvend get x --account bob"; got != want {
		t.Errorf("Token(get, x) of the zero value = %s, want %s", got, want)
	}
}

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"a": "a", "a b": "'a b'", "": "''", "o'hara": `'o'\''hara'`, "-x": "'-x'", "$(x)": "'$(x)'", "~/x": "'~/x'",
	} {
		if got := hint.Quote(word); got != want {
			t.Errorf("Quote(%q) = %s, want %s", word, got, want)
		}
	}
}

func TestInRegion(t *testing.T) {
	for command, want := range map[string]string{
		"aws kms enable-key --key-id k": "aws --region eu-west-1 kms enable-key --key-id k",
		"set it: an AWS setting":        "set it: an AWS setting",
		"":                              "",
	} {
		if got := hint.InRegion("eu-west-1", command); got != want {
			t.Errorf("InRegion(eu-west-1, %s) = %s, want %s", command, got, want)
		}
	}
	if got, want := hint.InRegion("", "aws kms x"), "aws kms x"; got != want {
		t.Errorf("InRegion(, %s) = %s, want it as it is", want, got)
	}
}
