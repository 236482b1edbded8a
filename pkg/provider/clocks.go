package provider

import (
	"net/url"
	"sync"

	"github.com/tokenvend/tokenvend/pkg/provider/response"
	"github.com/tokenvend/tokenvend/pkg/provider/skew"
)

// Clocks remembers how far the clock of each host is ahead of ours, by its last
// refusal (RFC 6749 §5.2) with a usable Date field. The zero value knows none.
// It is safe for concurrent use.
type Clocks struct {
	mu     sync.Mutex
	byHost map[string]skew.Skew
}

// at returns the skew of a URL's host.
func (c *Clocks) at(u *url.URL) skew.Skew {
	if c == nil {
		return skew.Skew{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byHost[u.Host]
}

// learn remembers the skew that a refusal shows.
func (c *Clocks) learn(u *url.URL, m response.Message) {
	shown := skew.Of(m.Header, m.SentAt)
	if c == nil || !shown.Known() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byHost == nil {
		c.byHost = map[string]skew.Skew{}
	}
	c.byHost[u.Host] = shown
}
