package doctor

import "fmt"

// The space below which a disk is low, and that below which it is as good as
// full.
const (
	lowSpace = 500 << 20
	noSpace  = 10 << 20
)

// disk checks the space that is left for the data folder.
func (f *findings) disk(folder string) {
	free, err := freeSpace(folder)
	if err != nil {
		f.unread("disk", err)
		return
	}
	finding := fmt.Sprintf("%d MB are free for %s", free>>20, folder)
	switch {
	case free < noSpace:
		f.fail("disk", finding, "free some: without space no token can be stored")
	case free < lowSpace:
		f.warn("disk", finding, "free some: without space no token can be stored")
	default:
		f.ok("disk", "%s", finding)
	}
}
