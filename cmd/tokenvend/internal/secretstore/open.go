package secretstore

import (
	"os"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/connection"
)

// Prefix returns what the names of a stack's secrets start with: the value of
// the flag --prefix, else the environment's, else the default.
func Prefix(flag string) (string, error) {
	for _, prefix := range []string{flag, os.Getenv(EnvPrefix), DefaultPrefix} {
		switch {
		case prefix == "":
		case !validPrefix.MatchString(prefix):
			return "", clierror.Usage("--prefix, %s: expected up to 200 characters of a secret's name", EnvPrefix)
		default:
			return prefix, nil
		}
	}
	return "", nil
}

// Open returns the store of a place. prefix is the value of the flag --prefix.
func Open(p connection.Place, prefix string) (Store, error) {
	switch {
	case p.IsLocal() && prefix != "":
		return nil, clierror.Usage("--prefix is for a stack's secrets: expected --url or --function beside it")
	case p.IsLocal():
		return newFolder(p.Data, p.Commands)
	case strings.HasPrefix(strings.ToLower(p.URL), "http://"):
		return nil, clierror.Usage("a server at an http URL keeps its secrets in a folder: " +
			"expected --data with that folder, on the machine where it runs")
	}
	name, err := Prefix(prefix)
	if err != nil {
		return nil, err
	}
	return &manager{secretsmanager.NewFromConfig(p.AWS), name, p.AWS.Region, p.Commands}, nil
}

var validPrefix = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,200}$`)
