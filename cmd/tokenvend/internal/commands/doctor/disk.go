package doctor

import "fmt"

// The space below which a disk is low, and that below which it is as good as
// full.
const (
	lowSpace = 500 << 20
	noSpace  = 10 << 20
)

// disk checks the space that is left for the data folder.
func (s *setup) disk(folder string) {
	free, err := freeSpace(folder)
	if err != nil {
		s.Unread("disk", err)
		return
	}
	finding := fmt.Sprintf("%d MB are free for %s", free>>20, folder)
	switch {
	case free < noSpace:
		s.Fail("disk", finding, "free some: without space no token can be stored")
	case free < lowSpace:
		s.Warn("disk", finding, "free some: without space no token can be stored")
	default:
		s.OK("disk", "%s", finding)
	}
}
