// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package route

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/wirespan/wirespan/internal/budget"
)

var shop = Server{"shop.example", 80}

// TestForms wants values to be told from names before anything was learned.
func TestForms(t *testing.T) {
	for path, want := range map[string]string{
		"/":                         "/",
		"/orders":                   "/orders",
		"/orders/":                  "/orders/",
		"/orders/4711":              "/orders/{id}",
		"/orders/7/items":           "/orders/{id}/items",
		"/api/v1/users/me":          "/api/v1/users/me",
		"/v1p1beta1/files:annotate": "/v1p1beta1/{id}",
		"/1.0/instances":            "/1.0/instances",
		"/carts/550e8400-e29b-41d4-a716-446655440000":                  "/carts/{id}",
		"/carts/550E8400E29B41D4A716446655440000/lines":                "/carts/{id}/lines",
		"/events/01ARZ3NDEKTSV4RRFFQ69G5FAV":                           "/events/{id}",
		"/reports/2024-02-29":                                          "/reports/{id}",
		"/reports/20240229T101500Z":                                    "/reports/{id}",
		"/mail/anna@shop.example":                                      "/mail/{id}",
		"/mail/anna%40shop.example":                                    "/mail/{id}",
		"/blobs/da39a3ee5e6b4b0d3255bfef95601890afd80709":              "/blobs/{id}",
		"/commits/a1b2c3d":                                             "/commits/{id}",
		"/objects/507f1f77bcf86cd799439011":                            "/objects/{id}",
		"/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl":     "/reset/{id}",
		"/watch/dQw4w9WgXcQ":                                           "/watch/{id}",
		"/keys/AKIAIOSFODNN7EXAMPLE/use":                               "/keys/{id}/use",
		"/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/sendMessage": "/{id}/sendMessage",
		"/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX":       "/services/{id}/{id}/{id}",
		"/charges/ch_3MmlLrLkdIwHu7ix0snN0B15":                         "/charges/{id}",
		"/invoices/INV-2024-0001.pdf":                                  "/invoices/{id}",
		"/items/order-42":                                              "/items/{id}",
		"/oauth2/callback":                                             "/oauth2/callback",
		"/getUserNotificationPreferences":                              "/getUserNotificationPreferences",
		"/user-notification-preferences/list_all":                      "/user-notification-preferences/list_all",
		"/S3Bucket/listObjectsV2":                                      "/S3Bucket/listObjectsV2",
		"/.well-known/openid-configuration":                            "/.well-known/openid-configuration",
		"/login;jsessionid=1A2B3C/next":                                "/login/next",
		"/search/q=red shoes":                                          "/search/{id}",
		"/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r":                         "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/{path...}",
		"/caf\xc3\xa9":                                                 "/{id}",
		"/bad\xff":                                                     "/{id}",
		"":                                                             "", "*": "", "relative/path": "", "http:": "",
	} {
		assert.Equal(t, want, New(Settings{Learn: true}, nil).Of(shop, path, true, 0), path)
	}
}

// TestSameAtBothEnds: what is told does not depend on who has seen the first calls of
// other paths, as long as no place is crowded.
func TestSameAtBothEnds(t *testing.T) {
	client, server := New(Settings{Learn: true}, nil), New(Settings{Learn: true}, nil)
	paths := make([]string, 0, 1000)
	for i := range 1000 {
		paths = append(paths, fmt.Sprintf("/%s/%d/%s", [...]string{"orders", "users", "carts"}[i%3], i, [...]string{"items", "", "owner"}[i%5%3]))
	}
	for i := range paths {
		client.Of(shop, paths[i], true, 0)
		server.Of(shop, paths[len(paths)-1-i], true, 0)
	}
	for _, path := range paths {
		assert.Equal(t, client.Of(shop, path, true, 0), server.Of(shop, path, true, 0))
	}
}

// TestNamesThatAreValues learns from their number that users are values, and keeps the
// names that are frequent.
func TestNamesThatAreValues(t *testing.T) {
	table := New(Settings{Learn: true}, nil)
	for i := range 10_000 {
		table.Of(shop, "/users/"+letters(i)+"/orders", true, 0)
		table.Of(shop, "/users/me/orders", true, 0)
	}
	assert.Equal(t, "/users/{id}/orders", table.Of(shop, "/users/bob/orders", true, 0))
	assert.Equal(t, "/users/{id}/orders", table.Of(shop, "/users/"+letters(1)+"/orders", true, 0), "also the first ones")
	assert.Equal(t, "/users/me/orders", table.Of(shop, "/users/me/orders", true, 0))
	assert.Equal(t, "/users/bob", table.Of(Server{"other.example", 80}, "/users/bob", true, 0), "another server")
}

// letters is a number as a word.
func letters(n int) string {
	word := []byte("anna")
	for ; n > 0; n /= 5 {
		word = append(word, "bdlmn"[n%5], 'a')
	}
	return string(word)
}

// TestNothingFound learns nothing from paths that the server does not have, whatever a
// scanner asks for.
func TestNothingFound(t *testing.T) {
	table := New(Settings{Learn: true}, nil)
	for i := range 1000 {
		assert.Empty(t, table.Of(shop, "/"+letters(i), false, 0))
	}
	assert.Equal(t, "/orders/{id}", table.Of(shop, "/orders/1", true, 0))
	assert.Equal(t, "/orders/{id}", table.Of(shop, "/orders/2", false, 0), "a route that is known")
	assert.Equal(t, "/login", table.Of(shop, "/login", true, 0))
}

// TestSecrets has nothing of what follows a secret's name in a template.
func TestSecrets(t *testing.T) {
	table := New(Settings{Learn: true, Secret: func(name string) bool { return name == "password" }}, nil)
	assert.Equal(t, "/users/password/{id}", table.Of(shop, "/users/password/hunter", true, 0))
	assert.Equal(t, "/users/password/{id}/done", table.Of(shop, "/users/password/sesame/done", true, 0))
	assert.Equal(t, "/users/password", table.Of(shop, "/users/password", true, 0))
}

// TestHostile throws a million paths at a table, of as many servers, and wants it to
// stay within its bounds, to have few templates, and to know others all the same.
func TestHostile(t *testing.T) {
	memory := budget.New(64 << 20)
	table := New(Settings{Learn: true}, memory)
	for range frequent + 1 {
		require.Equal(t, "/orders/{id}", table.Of(shop, "/orders/1", true, 0))
	}
	random := rand.New(rand.NewPCG(1, 2))
	seen := make(map[string]bool)
	n := 1_000_000
	if testing.Short() {
		n = 100_000
	}
	for i := range n {
		var path strings.Builder
		for range 1 + random.IntN(6) {
			path.WriteString("/" + letters(random.IntN(100_000)))
		}
		s := Server{"shop.example", 80}
		if i%2 == 0 {
			s.Address = letters(random.IntN(n)) + ".example"
		}
		if template := table.Of(s, path.String(), true, int64(i)*1e6); template != "" {
			seen[template] = true
		}
	}
	servers := *table.servers.Load()
	assert.LessOrEqual(t, len(servers), MaxServers+1)
	assert.LessOrEqual(t, table.nodes, MaxNodes)
	for s, known := range servers {
		assert.LessOrEqual(t, known.nodes, MaxServerNodes)
		assert.Equal(t, known.nodes, known.root.size()-1, s)
	}
	assert.EqualValues(t, table.nodes*nodeBytes+len(servers)*serverBytes, memory.Used())
	assert.Less(t, len(seen), 2*MaxNodes)
	assert.Equal(t, "/orders/{id}", table.Of(shop, "/orders/2", true, 0))
}

// TestForgets makes room for new servers when old ones are silent, and gives their
// memory back.
func TestForgets(t *testing.T) {
	memory := budget.New(64 << 20)
	table := New(Settings{Learn: true}, memory)
	for i := range 2 * MaxServers {
		assert.Equal(t, "/orders", table.Of(Server{fmt.Sprint(i), 80}, "/orders", true, 0))
	}
	assert.Len(t, *table.servers.Load(), MaxServers+1, "and all others")
	table.Expire(idle)
	assert.Len(t, *table.servers.Load(), MaxServers+1)
	table.Of(shop, "/orders", true, idle+2*minute)
	table.Expire(idle + 2*minute)
	assert.Len(t, *table.servers.Load(), 1, "all others")
	table.Expire(3 * idle)
	assert.Empty(t, *table.servers.Load())
	assert.Zero(t, memory.Used())
	assert.Equal(t, "/orders", table.Of(shop, "/orders", true, 3*idle))
}

// TestNoMemory has no template where there is no memory for one, but knows the old.
func TestNoMemory(t *testing.T) {
	table := New(Settings{Learn: true}, budget.New(2*serverBytes+2*nodeBytes))
	assert.Equal(t, "/orders", table.Of(shop, "/orders", true, 0))
	assert.Empty(t, table.Of(shop, "/users/anna/orders", true, 0))
	assert.Equal(t, "/orders", table.Of(shop, "/orders", true, 0))
	assert.Empty(t, New(Settings{Learn: true}, budget.New(1)).Of(shop, "/orders", true, 0))
}

// TestConcurrent learns the same from many goroutines; the race detector watches.
func TestConcurrent(t *testing.T) {
	table := New(Settings{Learn: true}, budget.New(1<<20))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				table.Of(shop, "/users/"+letters(i%300)+"/orders/"+fmt.Sprint(i), true, int64(i)*1e9)
			}
		})
	}
	wg.Wait()
	assert.Equal(t, "/users/{id}/orders/{id}", table.Of(shop, "/users/zoe/orders/9", true, 0))
}

// TestTemplates prefers the user's templates to what is learned, and the more exact of
// two.
func TestTemplates(t *testing.T) {
	table := New(Settings{Learn: true, Templates: []string{
		"/users/{name}/{rest...}", "/users/me", "/users/{name}/orders/{order}", "blog.example/{slug}", "/{path...}",
	}}, nil)
	for path, want := range map[string]string{
		"/users/bob/a/b":     "/users/{name}/{rest...}",
		"/users/me":          "/users/me",
		"/users/me;x=1":      "/users/me",
		"/users/me/orders/7": "/users/{name}/orders/{order}",
		"/users/bob":         "/{path...}",
		"/":                  "/{path...}",
	} {
		assert.Equal(t, want, table.Of(shop, path, false, 0), path)
	}
	assert.Equal(t, "/{slug}", table.Of(Server{"blog.example", 443}, "/hello", false, 0))
	only := New(Settings{Templates: []string{"/users/{name}"}}, nil)
	assert.Equal(t, "/users/{name}", only.Of(shop, "/users/1", true, 0))
	assert.Empty(t, only.Of(shop, "/orders/1", true, 0), "nothing is learned")
}

func TestCheck(t *testing.T) {
	assert.NoError(t, Check([]string{"/", "/a/", "/a/{b}", "host.example/a/{b}", "/a/{b...}"}))
	for template, want := range map[string]string{
		"":                 "want [HOST]/PATH",
		"users":            "want [HOST]/PATH",
		"/users/{":         "braces",
		"/users/{}":        "braces",
		"/users/a{id}":     "braces",
		"/users/{...}":     "braces",
		"/users/{id}x":     "braces",
		"/users/{id...}/x": "at the end only",
		"/users?id={id}":   "braces",
	} {
		assert.ErrorContains(t, Check([]string{template}), want, template)
	}
	assert.ErrorContains(t, Check([]string{"/a/{b}", "/a/{c}"}), `template "/a/{c}": want one template for a path`)
	assert.Error(t, Check(make([]string, MaxTemplates+1)))
}

// TestNoAllocations: what is known costs none.
func TestNoAllocations(t *testing.T) {
	table := New(Settings{Learn: true, Templates: []string{"/own/{x}"}}, nil)
	table.Of(shop, "/orders/1/items", true, 0)
	assert.Zero(t, testing.AllocsPerRun(100, func() { table.Of(shop, "/orders/2/items", true, 0) }))
}

func BenchmarkOf(b *testing.B) {
	table := New(Settings{Learn: true}, nil)
	for b.Loop() {
		table.Of(shop, "/api/v1/orders/550e8400-e29b-41d4-a716-446655440000/items", true, 0)
	}
}

func FuzzOf(f *testing.F) {
	f.Add("/orders/1;a=b//x", "/users/{id}/{rest...}")
	f.Fuzz(func(t *testing.T, path, template string) {
		s := Settings{Learn: true, Templates: []string{template}}
		if Check(s.Templates) != nil {
			s.Templates = nil
		}
		table := New(s, budget.New(1<<20))
		first := table.Of(shop, path, true, 0)
		assert.Equal(t, first, table.Of(shop, path, false, 0))
		assert.Equal(t, table.nodes, (*table.servers.Load())[shop].size())
	})
}

func (s *server) size() int {
	if s == nil {
		return 0
	}
	return s.root.size() - 1
}
