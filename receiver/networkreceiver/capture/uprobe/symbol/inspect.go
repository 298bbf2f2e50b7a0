// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

import (
	"cmp"
	"errors"
	"io"
	"slices"
)

// Inspect reads what is needed of an ELF file of the given size. It never fails on
// what a file contains: that is the image's Reason. The error is that of reading.
func Inspect(r io.ReaderAt, size int64) (*Image, error) {
	img := &Image{}
	f, err := openFile(r, size)
	if err == nil {
		img.Machine = f.machine()
		err = img.inspect(f)
	}
	switch {
	case err == nil:
		img.Reason = img.reason()
	case errors.Is(err, errMalformed):
		img.Reason = Malformed
	case errors.Is(err, errTooLarge):
		img.Reason = TooLarge
	case errors.Is(err, errMachine):
		img.Reason = UnsupportedMachine
	default:
		return nil, err
	}
	return img, nil
}

// reason is what keeps all libraries from being probed.
func (img *Image) reason() Reason {
	reason := NoLibrary
	for i := range img.Libraries {
		l := &img.Libraries[i]
		if len(l.Functions) > 0 || l.Kind == NSPR {
			return None
		}
		reason = l.Reason
	}
	return reason
}

func (img *Image) inspect(f *file) (err error) {
	if img.BuildID, err = f.buildID(); err != nil {
		return err
	}
	golang, err := findGo(f)
	if err != nil {
		return err
	}
	img.add(golang)
	if err := img.inspectDynamic(f); err != nil {
		return err
	}
	// What exports one library has no other; to read all symbols takes time.
	if len(img.Libraries) == 0 || (len(img.Libraries) == 1 && golang != nil) {
		if err := img.inspectStatic(f); err != nil {
			return err
		}
	}
	if len(img.Libraries) == 0 {
		if err := img.inspectStrings(f); err != nil {
			return err
		}
	}
	slices.SortStableFunc(img.Libraries, func(a, b Library) int { return cmp.Compare(a.Kind, b.Kind) })
	return nil
}

// add takes a library unless there is one of its kind.
func (img *Image) add(l *Library) {
	if l != nil && !slices.ContainsFunc(img.Libraries, func(old Library) bool { return old.Kind == l.Kind }) {
		img.Libraries = append(img.Libraries, *l)
	}
}

// inspectDynamic looks at what the file exports.
func (img *Image) inspectDynamic(f *file) error {
	d, err := readDynamic(f)
	if err != nil || d == nil {
		return err
	}
	versions, err := d.versions()
	if err != nil {
		return err
	}
	resolve := func(name string) ([]uint64, error) {
		address, err := d.lookup(name)
		if err != nil || address == 0 {
			return nil, err
		}
		return []uint64{address}, nil
	}
	for _, find := range []func() (*Library, error){
		func() (*Library, error) { return findSSL(f, resolve, versions) },
		func() (*Library, error) { return findGnuTLS(f, resolve, versions) },
		func() (*Library, error) { return findNSS(f, d, resolve, versions) },
		func() (*Library, error) { return findNSPR(f, d) },
	} {
		l, err := find()
		if err != nil {
			return err
		}
		img.add(l)
	}
	return nil
}

// inspectStatic looks at all symbols, if they are there.
func (img *Image) inspectStatic(f *file) error {
	found, err := f.staticFunctions(staticSelection)
	if err != nil || len(found) == 0 {
		return err
	}
	byName := map[string][]uint64{}
	for _, p := range found {
		byName[p.name] = append(byName[p.name], p.address)
	}
	resolve := func(name string) ([]uint64, error) { return byName[name], nil }
	ssl, err := findSSL(f, resolve, nil)
	if err != nil {
		return err
	}
	img.add(ssl)
	gnutls, err := findGnuTLS(f, resolve, nil)
	if err != nil {
		return err
	}
	img.add(gnutls)
	img.add(findRustls(f, found))
	return nil
}

// staticSelection is all that may be linked statically.
var staticSelection = func() *selection {
	s := &selection{
		stems: []string{"SSL_", "SSLeay", "OpenSSL_v", "BIO_", "gnutls_"}, exact: map[string]bool{},
		mangledStem: "rustls", mangled: func(name string) bool { return rustlsFunction(name) != "" },
	}
	for _, name := range slices.Concat(sslFunctions, sslClues, gnutlsFunctions, []string{gnutlsGetInt, gnutlsGetInt2}) {
		s.exact[name] = true
	}
	return s
}()
