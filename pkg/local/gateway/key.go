package gateway

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	"github.com/tokenvend/tokenvend/pkg/access"
	"github.com/tokenvend/tokenvend/pkg/redact"
)

// Key is a key that requests are signed with. The zero value of Operator makes
// it a caller's: it may GET and POST /tokens/NAME, and nothing else.
type Key struct {
	ID     string        // the access key id: 1 to 128 letters, digits, _, . and -
	Secret redact.String // the secret access key: printable ASCII without spaces
	ARN    string        // the principal that it stands for; "": arn:aws:iam::000000000000:user/<ID>

	Operator bool // may have every credential, and administer
}

// Flag returns the flag of tokenvend serve by which a key of this kind is
// given.
func (k Key) Flag() string {
	if k.Operator {
		return "--admin-key"
	}
	return "--key"
}

// userARN and a key's id are the principal of a key that names none.
const userARN = "arn:aws:iam::000000000000:user/"

var (
	keyID     = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
	keySecret = regexp.MustCompile(`^[!-~]{1,256}$`)
)

// ParseKey reads ID:SECRET or ID:SECRET=ARN. Its errors say what was expected
// and show nothing of s.
func ParseKey(s string) (Key, error) {
	id, secret, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, errors.New("expected ID:SECRET or ID:SECRET=ARN")
	}
	k := Key{ID: id}
	if at := strings.LastIndex(secret, "=arn:"); at >= 0 {
		secret, k.ARN = secret[:at], secret[at+1:]
	} else if strings.Contains(strings.TrimRight(secret, "="), "=") { // base64 has = at its end only
		return Key{}, errors.New("expected an ARN of IAM or STS after ID:SECRET=")
	}
	k.Secret = redact.New(secret)
	return k, k.Check()
}

// Check returns what is wrong with a key. The error does not show it.
func (k Key) Check() error {
	switch {
	case !keyID.MatchString(k.ID):
		return errors.New("expected an id of 1 to 128 letters, digits, _, . and - before the colon")
	case !keySecret.MatchString(k.Secret.Reveal()):
		return errors.New("expected a secret of 1 to 256 printable characters without spaces after the colon")
	case k.ARN != "" && (access.Caller{Via: access.API, ARN: k.ARN}).IsNobody():
		return errors.New("expected an ARN of IAM or STS after ID:SECRET=")
	}
	return nil
}

// caller returns the caller that signs with the key.
func (k Key) caller() access.Caller {
	via := access.CallerKey
	if k.Operator {
		via = access.OperatorKey
	}
	return access.Caller{Via: via, ARN: cmp.Or(k.ARN, userARN+k.ID)}
}
