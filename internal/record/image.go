// SPDX-License-Identifier: MIT

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Parts of the file system that a layer lies over, and links beside them.
var (
	layered = []string{"usr", "etc", "var"}
	links   = map[string]string{"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64"}
)

// Image is packages installed in a layer of their own over this machine.
type Image struct {
	dir string // of the layer: usr, etc, var
}

// OpenImage returns the image of the packages, from the cache or made there by
// apt, whose output goes to log.
func OpenImage(ctx context.Context, cache string, packages []string, log io.Writer) (*Image, error) {
	packages = slices.Sorted(slices.Values(packages))
	sum := sha256.Sum256([]byte(strings.Join(packages, " ")))
	img := &Image{dir: filepath.Join(cache, fmt.Sprintf("%x", sum[:8]))}
	done := filepath.Join(img.dir, "done")
	if _, err := os.Stat(done); err == nil {
		return img, nil
	}
	if err := os.RemoveAll(img.dir); err != nil {
		return nil, err
	}
	if err := img.install(ctx, packages, log); err != nil {
		return nil, fmt.Errorf("install %s: %w", strings.Join(packages, " "), err)
	}
	return img, os.WriteFile(done, []byte(strings.Join(packages, "\n")+"\n"), 0o644)
}

func (img *Image) install(ctx context.Context, packages []string, log io.Writer) error {
	tree, err := img.mount(img.dir)
	if err != nil {
		return err
	}
	defer tree.Close()
	// No service is to start, neither here nor later.
	policy := filepath.Join(tree.Root, "usr/sbin/policy-rc.d")
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		return err
	}
	for _, args := range [][]string{
		append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, packages...),
		{"apt-get", "clean"},
	} {
		if len(packages) == 0 {
			break
		}
		c := exec.CommandContext(ctx, "unshare", append([]string{"--pid", "--fork", "--kill-child", "--mount-proc", "--root", tree.Root}, args...)...)
		c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "HOME=/root")
		c.Stdout, c.Stderr = log, log
		if err := c.Run(); err != nil {
			return err
		}
	}
	return nil
}

// Tree is a mounted file system for scripts.
type Tree struct {
	Root   string
	mounts []string // in the order of mounting
	dir    string   // removed with it
}

// Mount makes a tree over the image, in the directory dir, whose changes go with
// it.
func (img *Image) Mount(dir string) (*Tree, error) {
	return img.mount(dir)
}

// mount makes a tree whose changes are kept in the directory keep.
func (img *Image) mount(keep string) (_ *Tree, err error) {
	t := &Tree{}
	if t.dir, err = os.MkdirTemp("", "record-"); err != nil {
		return nil, err
	}
	t.Root = filepath.Join(t.dir, "root")
	defer func() {
		if err != nil {
			err = errors.Join(err, t.Close())
		}
	}()
	for _, part := range layered {
		upper, work, at := filepath.Join(keep, part), filepath.Join(keep, "work", part), filepath.Join(t.Root, part)
		if err := makeDirs(upper, work, at); err != nil {
			return nil, err
		}
		lower := "/" + part
		if keep != img.dir {
			lower = filepath.Join(img.dir, part) + ":" + lower
		}
		options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
		if err := t.mount("overlay", at, "overlay", 0, options); err != nil {
			return nil, err
		}
	}
	for name, to := range links {
		if err := os.Symlink(to, filepath.Join(t.Root, name)); err != nil {
			return nil, err
		}
	}
	for _, part := range []string{"run", "tmp", "root", "home", "srv", "mnt"} {
		if err := makeDirs(filepath.Join(t.Root, part)); err != nil {
			return nil, err
		}
		mode := "mode=0755"
		if part == "tmp" {
			mode = "mode=1777"
		}
		if err := t.mount("tmpfs", filepath.Join(t.Root, part), "tmpfs", 0, mode); err != nil {
			return nil, err
		}
	}
	for _, part := range []string{"proc", "sys", "dev"} {
		if err := makeDirs(filepath.Join(t.Root, part)); err != nil {
			return nil, err
		}
		if err := t.mount("/"+part, filepath.Join(t.Root, part), "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return nil, err
		}
	}
	return t, makeDirs(filepath.Join(t.Root, "recording"), filepath.Join(t.Root, "run/lock"))
}

func (t *Tree) mount(source, target, fstype string, flags uintptr, options string) error {
	if err := unix.Mount(source, target, fstype, flags, options); err != nil {
		return fmt.Errorf("mount %s: %w", target, err)
	}
	t.mounts = append(t.mounts, target)
	return nil
}

// Close unmounts the tree and removes it.
func (t *Tree) Close() error {
	var errs []error
	for _, at := range slices.Backward(t.mounts) {
		if err := unix.Unmount(at, unix.MNT_DETACH); err != nil {
			errs = append(errs, fmt.Errorf("unmount %s: %w", at, err))
		}
	}
	t.mounts = nil
	if len(errs) == 0 {
		errs = append(errs, os.RemoveAll(t.dir))
	}
	return errors.Join(errs...)
}

func makeDirs(paths ...string) error {
	for _, p := range paths {
		if err := os.MkdirAll(p, 0o755); err != nil {
			return err
		}
	}
	return nil
}
