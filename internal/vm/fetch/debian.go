// SPDX-License-Identifier: MIT

package fetch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"nftdict/internal/vm/kernel"
)

// Debian fetches kernels from the archive that apt knows.
type Debian struct {
	Cache *kernel.Cache
	Log   *slog.Logger
	// Update looks for a newer point release although the cache holds one.
	Update bool
}

// ErrNoPackage is returned where the archive has no such kernel.
var ErrNoPackage = errors.New("the archive has no such kernel")

// Kernel returns the kernel of a series such as "6.12", from the cache or the
// archive. Several processes may ask at once: one fetches.
func (d *Debian) Kernel(ctx context.Context, series string) (*kernel.Kernel, error) {
	if k, err := d.Cache.Kernel(series); err == nil && !d.Update {
		return k, nil
	}
	unlock, err := lock(ctx, d.Cache.Dir(), series)
	if err != nil {
		return nil, fmt.Errorf("fetch kernel %q: %w", series, err)
	}
	defer unlock()
	if k, err := d.Cache.Kernel(series); err == nil && !d.Update {
		return k, nil // another process was faster
	}
	k, err := d.fetch(ctx, series)
	if err != nil {
		return nil, fmt.Errorf("fetch kernel %q: %w", series, err)
	}
	return k, nil
}

func (d *Debian) fetch(ctx context.Context, series string) (*kernel.Kernel, error) {
	release, err := newest(ctx, series)
	if err != nil {
		return nil, err
	}
	dir, whole := d.Cache.Release(series, release)
	if !whole {
		if err := d.download(ctx, release, dir); err != nil {
			return nil, err
		}
	}
	err = d.Cache.Add(&kernel.Kernel{
		Name:    series,
		Release: release,
		Dir:     dir,
		Image:   filepath.Join(dir, "boot", "vmlinuz-"+release),
		Tree:    filepath.Join(dir, "lib", "modules", release),
		Headers: filepath.Join(dir, "usr", "src", "linux-headers-"+release),
	})
	if err != nil {
		return nil, err
	}
	return d.Cache.Kernel(series)
}

// download brings image and headers of a release into dir.
func (d *Debian) download(ctx context.Context, release, dir string) error {
	packages, err := needs(ctx, "linux-headers-"+release)
	if err != nil {
		return err
	}
	packages = append(packages, "linux-image-"+release)
	d.Log.Info("fetching a kernel", "release", release, "packages", len(packages))
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".fetch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := unpack(ctx, tmp, packages); err != nil {
		return err
	}
	if _, err := output(ctx, "", "depmod", "-b", tmp, release); err != nil {
		return err
	}
	if err := relocate(tmp, dir); err != nil {
		return err
	}
	// dir may hold what an interrupted run left.
	return errors.Join(os.Chmod(tmp, 0o755), os.RemoveAll(dir), os.Rename(tmp, dir))
}

// newest returns the release of the newest kernel of a series that has image
// and headers in one version.
func newest(ctx context.Context, series string) (string, error) {
	names, err := output(ctx, "", "apt-cache", "pkgnames", "linux-image-"+series)
	if err != nil {
		return "", err
	}
	re := regexp.MustCompile(`^linux-image-(` + regexp.QuoteMeta(series) + `\.[0-9][0-9a-z.+~]*(?:-[0-9]+)?-amd64)$`)
	var releases []string
	for _, name := range strings.Fields(names) {
		if m := re.FindStringSubmatch(name); m != nil {
			releases = append(releases, m[1])
		}
	}
	slices.SortFunc(releases, func(a, b string) int { return compare(b, a) })
	for _, r := range releases {
		image, err := candidate(ctx, "linux-image-"+r)
		if err != nil {
			return "", err
		}
		headers, err := candidate(ctx, "linux-headers-"+r)
		if err != nil {
			return "", err
		}
		if image != "" && image == headers {
			return r, nil
		}
	}
	return "", fmt.Errorf("%w: linux-image-%s*-amd64 with its headers (is `apt-get update` due?)", ErrNoPackage, series)
}

// candidate returns the version apt would install, "" if it has none.
func candidate(ctx context.Context, name string) (string, error) {
	text, err := output(ctx, "", "apt-cache", "policy", name)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(text) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), "Candidate: "); ok && v != "(none)" {
			return v, nil
		}
	}
	return "", nil
}

// needs returns a headers package and what it needs of the kernel's own
// packages; the compiler is the machine's.
func needs(ctx context.Context, headers string) ([]string, error) {
	text, err := output(ctx, "", "apt-cache", "depends", "--important", headers)
	if err != nil {
		return nil, err
	}
	all := []string{headers}
	for line := range strings.Lines(text) {
		name, ok := strings.CutPrefix(strings.TrimSpace(line), "Depends: ")
		if ok && (strings.HasPrefix(name, "linux-headers-") || strings.HasPrefix(name, "linux-kbuild-")) {
			all = append(all, name)
		}
	}
	return all, nil
}

// unpack downloads packages and unpacks them below dir.
func unpack(ctx context.Context, dir string, packages []string) error {
	debs := filepath.Join(dir, ".debs")
	if err := os.Mkdir(debs, 0o755); err != nil {
		return err
	}
	args := append([]string{"-q", "-o", "APT::Sandbox::User=root", "download"}, packages...)
	if _, err := output(ctx, debs, "apt-get", args...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	if len(files) != len(packages) {
		return fmt.Errorf("apt-get download brought %d of %d packages", len(files), len(packages))
	}
	for _, f := range files {
		if _, err := output(ctx, "", "dpkg-deb", "-x", f, dir); err != nil {
			return err
		}
	}
	return os.RemoveAll(debs)
}

// relocate makes the headers below tmp work from their place below dir: their
// makefiles name /usr/src.
func relocate(tmp, dir string) error {
	files, err := filepath.Glob(filepath.Join(tmp, "usr", "src", "linux-headers-*", "Makefile"))
	if err != nil {
		return err
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if rest, ok := strings.CutPrefix(string(text), "include /usr/src/"); ok {
			text = []byte("include " + filepath.Join(dir, "usr", "src") + "/" + rest)
			if err := os.WriteFile(f, text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// output runs a program and returns what it prints.
func output(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(out), nil
}
