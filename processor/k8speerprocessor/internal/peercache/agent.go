// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package peercache

import (
	"sync"

	"github.com/wirespan/wirespan/processor/k8speerprocessor/internal/index"
)

// agent is what the cache knows of one who asks. However slowly it reads, it is
// told of a key once, as it is then.
type agent struct {
	wake chan struct{}

	mu    sync.Mutex
	keys  map[index.Key]bool // whether the key is in marks
	marks []index.Key        // those to tell of
}

func (a *agent) asks(k index.Key) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.keys[k]
	return ok
}

// add takes another key to tell of, and gives how many there are.
func (a *agent) add(k index.Key) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys[k] = false
	a.markLocked(k)
	return len(a.keys)
}

// mark lets a key that the agent asks for be told of.
func (a *agent) mark(k index.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.markLocked(k)
}

func (a *agent) markLocked(k index.Key) {
	if marked, ok := a.keys[k]; !ok || marked {
		return
	}
	a.keys[k] = true
	a.marks = append(a.marks, k)
	select {
	case a.wake <- struct{}{}:
	default:
	}
}

func (a *agent) drop(k index.Key) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, ok := a.keys[k]
	delete(a.keys, k)
	return ok
}

// take gives some of the keys to tell of. What changes from now on is told again.
func (a *agent) take() []index.Key {
	a.mu.Lock()
	defer a.mu.Unlock()
	var keys []index.Key
	for len(a.marks) > 0 && len(keys) < maxAnswered {
		k := a.marks[0]
		if a.marks = a.marks[1:]; a.keys[k] {
			a.keys[k] = false
			keys = append(keys, k)
		}
	}
	if len(a.marks) == 0 {
		a.marks = nil
	}
	return keys
}
