package kms

import "time"

// Limit sets how long and how often a data key is used to seal.
func (s *Sealer) Limit(lifetime time.Duration, seals int64) { s.lifetime, s.seals = lifetime, seals }

// Hold sets how many data keys are cached at most.
func (s *Sealer) Hold(most int) { s.keys.most = most }

// Held returns how many data keys are cached.
func (s *Sealer) Held() int { return len(s.keys.young) + len(s.keys.old) }
