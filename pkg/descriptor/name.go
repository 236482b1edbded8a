package descriptor

import (
	"errors"
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/loopback"
)

const longestName = 63

// ValidName reports whether a provider or a credential can have that name: up
// to 63 of a-z, 0-9, _ and -, the first a letter or a digit.
func ValidName(name string) bool {
	for i, c := range name {
		isFirst := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !isFirst && (i == 0 || c != '_' && c != '-') {
			return false
		}
	}
	return name != "" && len(name) <= longestName
}

// CheckURL returns an error for a URL that no secret may be sent to: it accepts
// https, and http to a loopback host, without user, password and fragment.
// Whether http is sent at all, the HTTP client decides.
func CheckURL(u *url.URL) error {
	isPlain := u.Scheme == "http" && loopback.IsHost(u.Hostname())
	if u.Scheme != "https" && !isPlain || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
		return errors.New("not an https URL (or http to a loopback host) without user, password and fragment")
	}
	return nil
}
