//go:build unix

package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

const hasModes = true

// owner is the user that a file belongs to. The zero value is none.
type owner struct {
	uid   uint32
	known bool
}

// String is the user's name, as far as it is known, and number.
func (o owner) String() string {
	number := strconv.FormatUint(uint64(o.uid), 10)
	if u, err := user.LookupId(number); err == nil {
		return "the user " + u.Username + " (" + number + ")"
	}
	return "the user " + number
}

// take gives an open file to this owner, if the program runs as root. It goes
// by the open file: by its name, another one could be meant meanwhile.
func (o owner) take(f *os.File) error {
	if !o.known || !isRoot() || o.uid == 0 {
		return nil
	}
	return f.Chown(int(o.uid), -1)
}

func isRoot() bool { return os.Geteuid() == 0 }

func isTrusted(who owner) bool {
	return who.known && (who.uid == 0 || int64(who.uid) == int64(os.Geteuid()))
}

func ownerOf(f *os.File) (owner, error) {
	info, err := f.Stat()
	if err != nil {
		return owner{}, err
	}
	return ownerIn(info)
}

func ownerIn(info fs.FileInfo) (owner, error) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return owner{}, errors.New("the file system does not report the owners of files")
	}
	return owner{stat.Uid, true}, nil
}

// checkLink refuses a symbolic link of another user: that user chooses where it
// leads.
func (o Owners) checkLink(path string) error {
	info, err := os.Lstat(path)
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return err
	}
	who, err := ownerIn(info)
	if err != nil {
		return err
	}
	if !isTrusted(who) && (who != o.named || o.named == owner{}) {
		return fmt.Errorf("%s is a symbolic link of %v, and not of you or root: "+
			"remove it, or choose another folder with --data", path, who)
	}
	return nil
}

// takeOver is the command that makes a folder this user's.
func takeOver(path string) string {
	return fmt.Sprintf("chown -R %d %s as root", os.Geteuid(), quoted(path))
}

// quoted is a path as one word of a POSIX shell.
func quoted(path string) string {
	if path != "" && !strings.ContainsFunc(path, func(r rune) bool { return !strings.ContainsRune(plain, r) }) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-"
