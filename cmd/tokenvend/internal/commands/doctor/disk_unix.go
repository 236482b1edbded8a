//go:build unix

package doctor

import "golang.org/x/sys/unix"

// freeSpace returns the bytes that this user may still write on the disk of a
// folder.
func freeSpace(folder string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, err
	}
	return uint64(stat.Bavail) * uint64(stat.Bsize), nil // #nosec G115 -- neither is negative
}
