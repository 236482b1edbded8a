//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tokenvend/tokenvend/cmd/tokenvend/internal/clierror"
)

const (
	mallory = 54321 // users that no machine has
	alice   = 54322
)

// planted is a data folder that mallory has put where others work, with the key
// of a server of his. It counts the requests that reach that server.
func planted(t *testing.T) (dir string, reached *atomic.Int32) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to another user")
	}
	reached = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(server.Close)
	dir = t.TempDir()
	data := filepath.Join(dir, defaultData)
	must(t, os.MkdirAll(filepath.Join(data, "credentials"), 0o700))
	plant(
		t,
		filepath.Join(data, "server.json"),
		`{"url":"`+server.URL+`","region":"us-east-1","key_id":"m","secret":"s"}`,
	)
	plant(t, filepath.Join(data, "key"), "m:s\n")
	give(t, data, mallory)
	return dir, reached
}

func plant(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// give gives a folder and all in it to a user.
func give(t *testing.T, path string, uid int) {
	t.Helper()
	must(t, filepath.WalkDir(path, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	}))
}

// openUp lets everybody read and write in a folder.
func openUp(t *testing.T, path string) {
	t.Helper()
	must(t, filepath.WalkDir(path, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chmod(path, 0o777)
	}))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tvAs runs the program in a folder as a user.
func tvAs(t *testing.T, uid uint32, dir string, args ...string) ran {
	t.Helper()
	must(t, os.Chmod(filepath.Dir(program), 0o755)) // #nosec G302 -- so that another user may run it
	for path := dir; path != os.TempDir() && path != "/"; path = filepath.Dir(path) {
		must(t, os.Chmod(path, 0o755))
	}
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // a server that is not refused runs on
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, clean(
		dir,
	), strings.NewReader(
		"secret\n",
	), &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ran{out.String(), errs.String(), clierror.Code(cmd.ProcessState.ExitCode())}
}

// every command that looks at a data folder.
var looking = [][]string{
	{"ls"}, {"get", "minut"}, {"status", "minut"}, {"verify", "minut"}, {"accept", "minut"},
	{"exec", "minut", "--", "true"}, {"renew", "minut"}, {"revoke", "minut"}, {"recover", "minut"},
	{"connect", "minut", "--account", "a", "--no-browser", "--timeout", "50ms"}, {"serve", "--listen", "127.0.0.1:0"},
	{"add", "x", "--provider", "minut", "--client-id", "i"}, {"set", "x"}, {"rm", "x", "--yes"}, {"doctor"},
}

// Root, and another user, once used a .tokenvend that somebody else had put
// into the folder where they worked, with keys that he knew.
func TestAttack13_APlantedFolderIsNotUsed(t *testing.T) {
	dir, reached := planted(t)
	for _, uid := range []uint32{0, alice} {
		if uid == alice {
			openUp(t, filepath.Join(dir, defaultData))
		}
		for _, args := range looking {
			r := tvAs(t, uid, dir, args...)
			if says := r.out + r.err; r.code != clierror.Failed ||
				!strings.Contains(says, fmt.Sprint("belongs to the user ", mallory)) {
				t.Errorf("%q as user %d exits with %d, want 1 and whose the folder is:\n%s", args, uid, r.code, says)
			}
		}
	}
	if n := reached.Load(); n != 0 || exists(dir, "x") {
		t.Errorf(
			"%d requests have reached the server of the one who planted it; a credential was put there: %t",
			n,
			exists(dir, "x"),
		)
	}
}

func TestAttack13_RootTakesAFolderThatItNames(t *testing.T) {
	dir, reached := planted(t)
	tvAs(t, 0, dir, "add", "x", "--provider", "minut", "--client-id", "i", "--data", defaultData)
	if !exists(dir, "x") || reached.Load() == 0 {
		t.Errorf("add by root with --data writes: %t, and sends %d requests, want true and some", exists(dir, "x"), reached.Load())
	}
	openUp(t, filepath.Join(dir, defaultData))
	before := reached.Load()
	r := tvAs(t, alice, dir, "ls", "--data", defaultData)
	if r.code != clierror.Failed || !strings.Contains(r.err, "belongs to") || reached.Load() != before {
		t.Errorf("ls --data of another user's folder exits with %d, want 1 and no request:\n%s", r.code, r.err)
	}
}

// The command that an error tells to run mends what the error is about.
func TestAttack13_TheCommandThatIsToldWorks(t *testing.T) {
	dir, reached := planted(t)
	command := regexp.MustCompile(`run (chown -R \d+ \S+) as root`).FindStringSubmatch(tvAs(t, 0, dir, "ls").err)
	if command == nil {
		t.Fatal("ls of a planted folder prints no command, want one that mends it")
	}
	mend := exec.CommandContext(t.Context(), "sh", "-c", command[1])
	mend.Dir = dir
	if out, err := mend.CombinedOutput(); err != nil {
		t.Fatalf("%s = %v, want success: %s", command[1], err, out)
	}
	if r := tvAs(t, 0, dir, "ls"); strings.Contains(r.err, "belongs to") || reached.Load() == 0 {
		t.Errorf("ls after %s = %s, want the folder taken", command[1], r.err)
	}
}

func TestAttack13_WhatElseOthersCanPlant(t *testing.T) {
	for _, c := range []struct {
		name, says string
		plant      func(t *testing.T, dir string)
	}{
		{"a file in a folder of root's", "server.json belongs to", func(t *testing.T, dir string) {
			give(t, filepath.Join(dir, defaultData), 0)
			must(t, os.Chown(filepath.Join(dir, defaultData, "server.json"), mallory, mallory))
		}},
		{"a symbolic link to a folder of root's", "is a symbolic link of", func(t *testing.T, dir string) {
			give(t, filepath.Join(dir, defaultData), 0)
			must(t, os.Rename(filepath.Join(dir, defaultData), filepath.Join(dir, "other")))
			must(t, os.Symlink("other", filepath.Join(dir, defaultData)))
			must(t, os.Lchown(filepath.Join(dir, defaultData), mallory, mallory))
		}},
		{"a folder that the group may write", "chmod 700", func(t *testing.T, dir string) {
			give(t, filepath.Join(dir, defaultData), 0)
			must(t, os.Chmod(filepath.Join(dir, defaultData), 0o770))
		}},
		{"a file that others may write", "chmod 600", func(t *testing.T, dir string) {
			give(t, filepath.Join(dir, defaultData), 0)
			must(t, os.Chmod(filepath.Join(dir, defaultData, "server.json"), 0o602))
		}},
		{"a credential in a folder of root's", "x.json belongs to", func(t *testing.T, dir string) {
			give(t, filepath.Join(dir, defaultData), 0)
			must(t, os.Remove(filepath.Join(dir, defaultData, "server.json")))
			plant(t, filePath(dir, "x"), `{"provider":"minut","client_id":"i","client_secret":"s"}`)
			must(t, os.Chown(filePath(dir, "x"), mallory, mallory))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, reached := planted(t)
			c.plant(t, dir)
			r := tv(t, dir, "", "doctor")
			for _, args := range [][]string{{"ls"}, {"get", "x"}} {
				r.err += tv(t, dir, "", args...).err
			}
			if says := r.out + r.err; !strings.Contains(says, c.says) || reached.Load() != 0 {
				t.Errorf("doctor, ls and get send %d requests and print %s, want none and %q", reached.Load(), says, c.says)
			}
		})
	}
}

// In a folder where everybody may rename what others made, a folder's name
// proves nothing; the sticky bit, as /tmp has it, keeps others from that.
func TestAttack13_AFolderThatOthersMayReplace(t *testing.T) {
	for mode, refused := range map[os.FileMode]bool{0o777: true, 0o777 | os.ModeSticky: false, 0o775: false} {
		dir, _ := planted(t)
		give(t, filepath.Join(dir, defaultData), 0)
		must(t, os.Remove(filepath.Join(dir, defaultData, "server.json")))
		must(t, os.Chmod(dir, mode))
		r := tv(t, dir, "secret\n", "add", "x", "--provider", "minut", "--client-id", "i")
		if got := strings.Contains(r.err, "everybody may replace it: chmod o-w "); got != refused ||
			exists(dir, "x") == refused {
			t.Errorf("in a folder of mode %v: refused %t, want %t\n%s", mode, got, refused, r.err)
		}
	}
}

// set once read a credential of another user's and wrote it again as root's
// own.
func TestAttack13_SetTakesOverNoPlantedCredential(t *testing.T) {
	for name, link := range map[string]bool{"a file": false, "a hard link": true} {
		t.Run(name, func(t *testing.T) {
			dir, _ := planted(t)
			give(t, filepath.Join(dir, defaultData), 0)
			must(t, os.Remove(filepath.Join(dir, defaultData, "server.json")))
			text := `{"provider":"oauth2","token_url":"https://evil.test/token","client_id":"i","client_secret":"s"}`
			at := filePath(dir, "x")
			if link {
				at = filepath.Join(dir, "elsewhere")
			}
			plant(t, at, text)
			must(t, os.Chown(at, mallory, mallory))
			if link {
				must(t, os.Link(at, filePath(dir, "x")))
			}
			r := tv(t, dir, "secret\n", "set", "x", "--client-id", "other", "--yes")
			if got, _ := os.ReadFile(filePath(dir, "x")); string(got) != text ||
				!strings.Contains(r.err, "belongs to") {
				t.Errorf("set of a file of another user exits with %d and %s, want the file as it was, not %s", r.code, r.err, got)
			}
		})
	}
}

// A running server is not looked for in a folder whose name others can give to
// another folder.
func TestAttack13_NoServerIsTakenFromAFolderThatOthersMayReplace(t *testing.T) {
	for mode, refused := range map[os.FileMode]bool{0o777: true, 0o777 | os.ModeSticky: false} {
		dir, reached := planted(t)
		give(t, filepath.Join(dir, defaultData), 0)
		must(t, os.Chmod(dir, mode))
		r := tv(t, dir, "", "ls")
		if got := strings.Contains(r.err, "everybody may replace it: chmod o-w "); got != refused ||
			(reached.Load() == 0) != refused {
			t.Errorf(
				"ls in a folder of mode %v: refused %t, want %t; %d requests\n%s",
				mode,
				got,
				refused,
				reached.Load(),
				r.err,
			)
		}
	}
}

// A .tokenvend that somebody else has put into the current folder is not used
// and keeps nobody from the own one.
func TestAttack13_AFolderPlantedInTheCurrentOneIsIgnored(t *testing.T) {
	dir, reached := planted(t)
	home := t.TempDir()
	r := tvEnv(
		t,
		dir,
		"",
		[]string{"HOME=" + home},
		"ls",
	).want(t, clierror.Failed, "no server runs on the data folder "+home)
	if n := reached.Load(); n != 0 {
		t.Errorf("ls sends %d requests to the server of the planted folder, want 0: %s", n, r.err)
	}
	tvEnv(
		t,
		dir,
		"s\n",
		[]string{"HOME=" + home},
		"add",
		"x",
		"--provider",
		"minut",
		"--client-id",
		"i",
	).want(t, clierror.OK)
	if exists(dir, "x") || !exists(home, "x") {
		t.Errorf(
			"add writes to the planted folder: %t, to the own one: %t, want the own one alone",
			exists(dir, "x"),
			exists(home, "x"),
		)
	}
}

// What root writes into the data folder of another user belongs to that user,
// whose server could not read it otherwise.
func TestRootWritesForTheOwnerOfAFolder(t *testing.T) {
	dir, _ := ended(t)
	data := filepath.Join(dir, defaultData)
	tv(t, dir, "", "store", "backup", "b.tar").want(t, clierror.OK)
	owner := os.Geteuid() // only root can give files to another user
	if owner == 0 {
		owner = alice
		give(t, data, owner)
	}
	named := []string{"--data", data}
	check := func(command string) {
		t.Helper()
		must(t, filepath.WalkDir(data, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if info, err := os.Lstat(path); err != nil || int(info.Sys().(*syscall.Stat_t).Uid) != owner {
				t.Errorf("after %s, %s does not belong to the owner of the folder, %v", command, path, err)
			}
			return nil
		}))
	}
	must(t, os.Remove(filepath.Join(data, "entries.db")))
	must(t, os.RemoveAll(filepath.Join(data, "credentials")))
	tv(t, dir, "", append(named, "store", "restore", "b.tar")...).want(t, clierror.OK)
	check("store restore")
	damageRowOfMinut(t, data)
	tv(t, dir, "", append(named, "store", "repair")...).want(t, clierror.OK)
	check("store repair")
	secret := `{"provider":"oauth2","token_url":"https://a.example/t","client_id":"i","client_secret":"s"}`
	tv(t, dir, secret, append(named, "add", "other", "--json", "--no-trial")...).want(t, clierror.OK)
	check("add")
}
