// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// fetch gives the image of a kernel ("6.1") from Debian's newest package of it,
// which is unpacked and not installed. What is in dir already is not fetched.
func fetch(ctx context.Context, kernel, dir string) (string, error) {
	image := filepath.Join(dir, "vmlinuz")
	if _, err := os.Stat(image); err == nil {
		return image, nil
	}
	name, err := newestPackage(ctx, kernel)
	if err != nil {
		return "", err
	}
	fetched, err := os.MkdirTemp("", "wirespan-kernel-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fetched)
	fmt.Printf("  fetch %s\n", name)
	download := exec.CommandContext(ctx, "apt-get", "-qq", "-o", "APT::Sandbox::User=", "download", name)
	download.Dir = fetched
	if out, err := download.CombinedOutput(); err != nil {
		return "", fmt.Errorf("download %s: %w\n%s", name, err, out)
	}
	files, err := filepath.Glob(filepath.Join(fetched, "*.deb"))
	if err != nil || len(files) != 1 {
		return "", fmt.Errorf("download %s: %d packages came", name, len(files))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return image, unpackImage(ctx, files[0], image)
}

// newestPackage is the newest of the packages that are names of images for
// clouds: small, and with all that is needed built in.
func newestPackage(ctx context.Context, kernel string) (string, error) {
	out, err := exec.CommandContext(ctx, "apt-cache", "search", "--names-only", "^linux-image-.*-cloud-amd64$").Output()
	if err != nil {
		return "", fmt.Errorf("search kernels: %w", err)
	}
	name := regexp.MustCompile(`(?m)^linux-image-` + regexp.QuoteMeta(kernel) + `\.\d\S*-cloud-amd64\b`)
	names := name.FindAllString(string(out), -1)
	if len(names) == 0 {
		return "", errors.New("find package: this Debian has none for it, or apt-get update was never run")
	}
	return slices.MaxFunc(names, func(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }), nil
}

// numbers are those in a name, in their order.
func numbers(name string) []int {
	var all []int
	for _, digits := range regexp.MustCompile(`\d+`).FindAllString(name, -1) {
		n, _ := strconv.Atoi(digits)
		all = append(all, n)
	}
	return all
}

// unpackImage takes the kernel out of a package.
func unpackImage(ctx context.Context, deb, image string) error {
	unpack := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	out, err := unpack.StdoutPipe()
	if err != nil {
		return err
	}
	if err := unpack.Start(); err != nil {
		return fmt.Errorf("unpack %s: %w", deb, err)
	}
	err = findImage(tar.NewReader(out), image)
	_, _ = io.Copy(io.Discard, out)
	if err := errors.Join(err, unpack.Wait()); err != nil {
		return fmt.Errorf("unpack %s: %w", deb, err)
	}
	return nil
}

func findImage(archive *tar.Reader, image string) error {
	for {
		h, err := archive.Next()
		if err != nil {
			return err
		}
		if !strings.HasPrefix(h.Name, "./boot/vmlinuz-") {
			continue
		}
		b, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		// Whole or not at all: what is there is used the next time.
		if err := os.WriteFile(image+".part", b, 0o644); err != nil {
			return err
		}
		return os.Rename(image+".part", image)
	}
}
