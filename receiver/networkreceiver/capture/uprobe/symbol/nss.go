// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package symbol

// Functions by which the libraries are recognised.
const (
	nssImportFD = "SSL_ImportFD"
	nsprNative  = "PR_FileDesc2NativeHandle"
)

// prMethods is how many pointers to functions a PRIOMethods (prio.h) has, after an
// int, that NSS gives: up to sendto.
const prMethods = 20

// maxPointers bounds how many pointers are held.
const maxPointers = 1 << 18

// nssMethods are the methods whose functions are wanted, by their place.
var nssMethods = map[uint64]string{1: NSSClose, 2: NSSRead, 3: NSSWrite, 17: NSSRecv, 18: NSSSend}

// findNSS looks for libssl3. Its functions have no symbols, but there is one table
// of them, in its data or in the code that makes it. It gives nil if this is another
// library.
func findNSS(f *file, d *dynamic, resolve resolver, versions []string) (*Library, error) {
	if found, err := d.lookup(nssImportFD); err != nil || found == 0 {
		return nil, err
	}
	l := &Library{Kind: NSS, Version: highestVersion(versions, "NSS_"), Reason: UnsupportedVersion}
	for _, source := range []func() (map[uint64]uint64, error){d.relativePointers, f.storedPointers} {
		pointers, err := source()
		if err != nil {
			return nil, err
		}
		table, ok := methodTable(f, pointers)
		if !ok {
			continue
		}
		for i, name := range nssMethods {
			l.Functions = append(l.Functions, Function{Name: name, Offset: f.code(pointers[table+8*i])})
		}
		l.Reason = None
		return l, l.addFunctions(f, resolve, []string{NSSHandshake})
	}
	return l, nil
}

// methodTable gives the address of a PRIOMethods, if there is one and no other.
func methodTable(f *file, pointers map[uint64]uint64) (table uint64, ok bool) {
	for at := range pointers {
		if !isMethods(f, at-8, pointers) {
			continue
		}
		if ok {
			return 0, false
		}
		table, ok = at-8, true
	}
	return table, ok
}

func isMethods(f *file, table uint64, pointers map[uint64]uint64) bool {
	if _, ok := pointers[table]; ok {
		return false // there is an int
	}
	for i := uint64(1); i <= prMethods; i++ {
		if to, ok := pointers[table+8*i]; !ok || f.code(to) == 0 {
			return false
		}
	}
	return true
}

// relativePointers gives the pointers of eachRelative by where they are.
func (d *dynamic) relativePointers() (map[uint64]uint64, error) {
	pointers := map[uint64]uint64{}
	err := d.eachRelative(func(at, to uint64) bool {
		pointers[at] = to
		return len(pointers) < maxPointers
	})
	return pointers, err
}

// findNSPR looks for libnspr4. It gives nil if this is another library.
func findNSPR(f *file, d *dynamic) (*Library, error) {
	found, err := d.lookup(nsprNative)
	if err != nil || found == 0 {
		return nil, err
	}
	l := &Library{Kind: NSPR}
	loads, returned, err := f.loads(f.code(found))
	if err != nil {
		return nil, err
	}
	// PRFileDesc is public (prio.h): methods, secret, lower. PRFilePrivate is not:
	// the function loads the secret, then the descriptor.
	const secret, lower = 8, 16
	n := len(loads)
	if !returned || n < 2 || !loads[n-2].wide || loads[n-2].offset != secret || loads[n-1].wide || !loads[n-1].result {
		l.Reason = UnsupportedVersion
		return l, nil
	}
	l.NSPR = &NSPRLayout{Secret: secret, Lower: lower, Descriptor: loads[n-1].offset}
	return l, nil
}
