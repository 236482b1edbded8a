//go:build testall

package testbed

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
)

// Keycloak's distribution is an artifact of Maven, pinned by the SHA-512 of the
// file.
const (
	keycloakVersion = "26.5.6"
	keycloakSHA512  = "yZzkncCoBy2uNZRxv1EP6FlLkGKX/9Opz91wImrzIVVyabd5TxqRNJVxXbY8T+KQBMVR5plSvu+n2Pmy3g6GxQ=="
	mavenDependency = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1"
	keycloakRealm   = "peers"
)

// Keycloak starts Keycloak with one realm, whose paths are below
// /realms/peers/protocol/openid-connect. It keeps its tokens in a file.
func Keycloak(t testing.TB, clients []PeerClient) *Peer {
	t.Helper()
	java, err := program("java", "a JDK, version 17 or newer")
	if err != nil {
		t.Fatal(err)
	}
	built, err := installed("keycloak-"+keycloakVersion, func(dir string) error { return buildKeycloak(java, dir) })
	if err != nil {
		t.Fatal(err)
	}
	realm, err := keycloakRealmOf(clients)
	if err != nil {
		t.Fatal(err)
	}
	// The import takes longer than the start of the server.
	data, err := installed("keycloak-data-"+shortHash([]byte(keycloakVersion), realm), func(dir string) error {
		return importKeycloak(java, built, dir, realm)
	})
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	err = errors.Join(keycloakHome(built, home), os.CopyFS(filepath.Join(home, "data"), os.DirFS(data)))
	if err != nil {
		t.Fatal(err)
	}
	return startPeer(t, server{name: "Keycloak", dir: home, command: func(port int) []string {
		return keycloakCommand(java, home, "start", "--optimized", "--cache=local", "--http-enabled=true",
			"--http-host=127.0.0.1", "--http-port="+strconv.Itoa(port), "--hostname-strict=false",
			"--proxy-headers=xforwarded")
	}})
}

// buildKeycloak leaves the distribution in dir, built for the options that must
// be known then.
func buildKeycloak(java, dir string) error {
	mvn, err := program("mvn", "Maven 3")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	fetch := exec.CommandContext(ctx, mvn, "--batch-mode", "--quiet", mavenDependency+":copy",
		"-Dartifact=org.keycloak:keycloak-quarkus-dist:"+keycloakVersion+":zip", "-DoutputDirectory="+dir)
	fetch.Dir = dir
	if said, err := fetch.CombinedOutput(); err != nil {
		return fmt.Errorf("mvn %s: %w\n%s", mavenDependency, err, said)
	}
	archive := filepath.Join(dir, "keycloak-quarkus-dist-"+keycloakVersion+".zip")
	if err := verify(archive, keycloakSHA512); err != nil {
		return err
	}
	if err := errors.Join(unzip(archive, "keycloak-"+keycloakVersion, dir), os.Remove(archive)); err != nil {
		return err
	}
	return runKeycloak(ctx, java, dir, "build", "--db=dev-file")
}

// importKeycloak leaves in dir the data of a server with the realm.
func importKeycloak(java, built, dir string, realm []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), installWithin)
	defer cancel()
	home, err := os.MkdirTemp("", "tokenvend-keycloak-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(home) }()
	file := filepath.Join(home, "realm.json")
	if err := errors.Join(keycloakHome(built, home), os.WriteFile(file, realm, 0o600)); err != nil {
		return err
	}
	if err := runKeycloak(ctx, java, home, "import", "--optimized", "--cache=local", "--file", file); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "h2"), os.DirFS(filepath.Join(home, "data", "h2")))
}

// keycloakHome makes home a folder that a server runs in.
func keycloakHome(built, home string) error {
	var errs []error
	for _, name := range []string{"conf", "lib", "providers", "themes"} {
		errs = append(errs, os.Symlink(filepath.Join(built, name), filepath.Join(home, name)))
	}
	return errors.Join(errs...)
}

func runKeycloak(ctx context.Context, java, home string, args ...string) error {
	line := keycloakCommand(java, home, args...)
	// The kernel ends the child with the thread that made it, see endWithUs.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	endWithUs(cmd)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("keycloak %s: %w\n%s", args[0], err, said)
	}
	return nil
}

// keycloakCommand is what bin/kc.sh runs, without the shell, whose child would
// outlive it. The Java options are for a short life.
func keycloakCommand(java, home string, args ...string) []string {
	return append([]string{
		java, "-Xms64m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dkc.home.dir=" + home, "-Djboss.server.config.dir=" + filepath.Join(home, "conf"),
		"-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-Dpicocli.disable.closures=true",
		"-Djava.util.concurrent.ForkJoinPool.common.threadFactory=" +
			"io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
		"--add-opens=java.base/java.util=ALL-UNNAMED", "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
		"--add-opens=java.base/java.security=ALL-UNNAMED",
		"-cp", filepath.Join(home, "lib", "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
	}, args...)
}

// keycloakRealmOf returns a realm with clients, in the form that Keycloak
// exports.
func keycloakRealmOf(clients []PeerClient) ([]byte, error) {
	var registered []map[string]any
	for _, c := range clients {
		one := map[string]any{
			"clientId": c.ID, "secret": c.Secret, "enabled": true, "clientAuthenticatorType": "client-secret",
			"serviceAccountsEnabled": true, "standardFlowEnabled": c.Redirect != "",
			"attributes": map[string]string{"access.token.lifespan": strconv.Itoa(c.Seconds)},
		}
		if c.Redirect != "" {
			one["redirectUris"] = []string{c.Redirect}
		}
		registered = append(registered, one)
	}
	return json.Marshal(map[string]any{
		"realm": keycloakRealm, "enabled": true, "sslRequired": "none", "clients": registered,
		// Each refresh token works once.
		"revokeRefreshToken": true, "refreshTokenMaxReuse": 0,
		"users": []map[string]any{{
			"username": "alice", "enabled": true, "email": "alice@example.com", "emailVerified": true,
			"firstName": "Alice", "lastName": "Example",
			"credentials": []map[string]string{{"type": "password", "value": "any"}},
		}},
	})
}

// unzip writes the files below folder in the archive into dir. It follows no
// path out of dir.
func unzip(archive, folder, dir string) error {
	all, err := zip.OpenReader(archive)
	if err != nil {
		return err
	}
	defer func() { _ = all.Close() }()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for _, file := range all.File {
		name, below := strings.CutPrefix(file.Name, folder+"/")
		if !below || file.FileInfo().IsDir() {
			continue
		}
		content, err := file.Open()
		if err != nil {
			return err
		}
		if err := errors.Join(extract(root, filepath.FromSlash(name), content), content.Close()); err != nil {
			return err
		}
	}
	return nil
}
