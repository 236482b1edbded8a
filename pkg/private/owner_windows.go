package private

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// hasModes is false: an access control list takes the place of a mode, and its
// owner decides what it says.
const hasModes = false

// owner is the security identifier that a file belongs to. The zero value is
// none.
type owner struct{ sid string }

// String is the account's name, as far as it is known, and identifier.
func (o owner) String() string {
	sid, err := windows.StringToSid(o.sid)
	if err == nil {
		if account, domain, _, err := sid.LookupAccount(""); err == nil {
			return fmt.Sprintf(`the account %s\%s (%s)`, domain, account, o.sid)
		}
	}
	return "the account " + o.sid
}

// take does nothing: what an administrator makes in a folder has the access
// control list of that folder.
func (owner) take(*os.File) error { return nil }

// isRoot reports whether the program runs with an administrator's rights.
func isRoot() bool { return windows.GetCurrentProcessToken().IsElevated() }

// isTrusted reports whether an owner is this user, the system, or the group of
// administrators, to which the files belong that an administrator makes.
func isTrusted(who owner) bool {
	sid, err := windows.StringToSid(who.sid)
	if err != nil {
		return false
	}
	if sid.IsWellKnown(windows.WinLocalSystemSid) || sid.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		return true
	}
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	return err == nil && sid.Equals(me.User.Sid)
}

func ownerOf(f *os.File) (owner, error) {
	const owned = windows.OWNER_SECURITY_INFORMATION
	descriptor, err := windows.GetSecurityInfo(windows.Handle(f.Fd()), windows.SE_FILE_OBJECT, owned)
	if err != nil {
		return owner{}, fmt.Errorf("the owner of %s: %w", f.Name(), err)
	}
	sid, _, err := descriptor.Owner()
	if err != nil {
		return owner{}, fmt.Errorf("the owner of %s: %w", f.Name(), err)
	}
	return owner{sid.String()}, nil
}

// checkLink has nothing to look at: what a link leads to is checked, and making
// one takes an administrator's right.
func (o Owners) checkLink(string) error { return nil }

// takeOver is the command that makes a folder this user's.
func takeOver(path string) string {
	return `icacls ` + quoted(path) + ` /setowner "%USERNAME%" /T as an administrator`
}

func quoted(path string) string { return `"` + path + `"` }
