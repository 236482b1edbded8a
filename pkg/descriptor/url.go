package descriptor

import (
	"errors"
	"net/url"

	"github.com/tokenvend/tokenvend/pkg/loopback"
)

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
