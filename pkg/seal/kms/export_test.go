package kms

import "time"

// Limit sets how long and how often a data key seals.
func (s *Sealer) Limit(lifetime time.Duration, seals int64) { s.lifetime, s.seals = lifetime, seals }

// Hold sets how many data keys are held at most.
func (s *Sealer) Hold(most int) { s.keys.most = most }

// Held is how many data keys are held.
func (s *Sealer) Held() int { return len(s.keys.young) + len(s.keys.old) }
