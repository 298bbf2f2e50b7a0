// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package index

import (
	"net/netip"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// at gives the name of the pod that had a key at a time in seconds.
func (r *Replica) at(k Key, at int64) (string, Kind) {
	p, kind := r.Find(k, at*second)
	if p == nil {
		return "", kind
	}
	return p.Pod, kind
}

func TestReplicaAsksOnceForAKey(t *testing.T) {
	r := NewReplica(8, 100)
	r.Restart()
	for range 3 {
		_, kind := r.at(someAddress, 100)
		assert.Equal(t, Pending, kind)
	}
	<-r.Wanted()
	wanted, unused := r.Take()
	assert.Equal(t, []Key{someAddress}, wanted)
	assert.Empty(t, unused)

	r.Put(someAddress, []Claim{{100 * second, Open, Pod, named("a")}}, Inside, 0)
	pod, kind := r.at(someAddress, 200)
	assert.Equal(t, "a", pod)
	assert.Equal(t, Pod, kind)
	assert.Equal(t, Inside, r.Of(netip.MustParseAddr("10.1.2.3")))
	assert.Equal(t, Untold, r.Of(netip.MustParseAddr("10.1.2.4")))

	r.Restart()
	wanted, _ = r.Take()
	assert.Equal(t, []Key{someAddress}, wanted)
	pod, _ = r.at(someAddress, 200)
	assert.Equal(t, "a", pod, "what is known serves on")
}

func TestReplicaKnowsThatNobodyHasAKey(t *testing.T) {
	r := NewReplica(8, 100)
	r.at(someAddress, 100)
	r.Put(someAddress, nil, Outside, 100*second)
	pod, kind := r.at(someAddress, 100)
	assert.Empty(t, pod)
	assert.Equal(t, Unknown, kind)
	assert.Equal(t, Outside, r.Of(netip.MustParseAddr("10.1.2.3")))
	r.Put(NodePort(1, TCP), []Claim{{0, Open, Pod, named("a")}}, Outside, 0)
	keys, _ := r.Sizes()
	assert.Equal(t, 1, keys, "what was not asked for")
}

// An index that was started anew knows nothing of the past.
func TestReplicaKeepsThePast(t *testing.T) {
	r := NewReplica(3, 100)
	r.at(someAddress, 100)
	r.Put(someAddress, []Claim{{200 * second, Open, Pod, named("b")}, {100 * second, 200 * second, Pod, named("a")}}, Inside, 0)
	r.Put(someAddress, []Claim{{300 * second, Open, Pod, named("c")}}, Inside, 400*second)
	for at, want := range map[int64]string{150: "a", 250: "b", 350: "c"} {
		pod, _ := r.at(someAddress, at)
		assert.Equal(t, want, pod, at)
	}
	r.Put(someAddress, nil, Inside, 500*second)
	pod, _ := r.at(someAddress, 450)
	assert.Equal(t, "c", pod)
	pod, _ = r.at(someAddress, 600)
	assert.Empty(t, pod, "it is gone since the index told so")
	r.Put(someAddress, []Claim{{700 * second, Open, Pod, named("d")}}, Inside, 700*second)
	pod, _ = r.at(someAddress, 150)
	assert.Empty(t, pod, "three are remembered")
	r.Forget(500 * second)
	pod, _ = r.at(someAddress, 250)
	assert.Empty(t, pod)
	pod, _ = r.at(someAddress, 450)
	assert.Equal(t, "c", pod)
	r.Forget(600 * second)
	pod, kind := r.at(someAddress, 450)
	assert.Empty(t, pod)
	assert.Equal(t, Unknown, kind)
	assert.Equal(t, Inside, r.Of(netip.MustParseAddr("10.1.2.3")))
}

func TestReplicaIsBounded(t *testing.T) {
	const most = 10
	r := NewReplica(8, most)
	r.Restart()
	key := func(i int) Key { return NodePort(uint16(i), TCP) }
	for i := range 10 * most {
		r.at(key(i), 1)
		r.at(key(0), 1) // is in use
		keys, _ := r.Sizes()
		require.LessOrEqual(t, keys, most)
	}
	wanted, unused := r.Take()
	assert.Contains(t, wanted, key(0))
	assert.LessOrEqual(t, len(wanted), most+1)
	assert.NotEmpty(t, unused)
	assert.LessOrEqual(t, len(unused), 2*most)
	_, evicted := r.Sizes()
	assert.GreaterOrEqual(t, evicted, int64(9*most))
	for _, k := range unused {
		assert.NotContains(t, wanted, k)
	}
	_, kind := r.at(unused[0], 1)
	assert.Equal(t, Pending, kind, "it is asked for again")
}

func TestReplicaIsReadWhileItIsWritten(t *testing.T) {
	r := NewReplica(8, 64)
	r.Restart()
	var readers sync.WaitGroup
	for g := range 4 {
		readers.Go(func() {
			for i := range 2000 {
				r.Find(NodePort(uint16((i+g)%100), TCP), 1)
			}
		})
	}
	for range 200 {
		wanted, _ := r.Take()
		for _, k := range wanted {
			r.Put(k, []Claim{{0, Open, NodePortKind, named("a")}}, Untold, 0)
		}
	}
	readers.Wait()
	keys, _ := r.Sizes()
	assert.LessOrEqual(t, keys, 64)
}
