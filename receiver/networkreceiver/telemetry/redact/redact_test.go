// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

package redact

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeader(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"Authorization", "Bearer abc", "REDACTED"},
		{"authorization", "Basic abc", "REDACTED"},
		{"Proxy-Authorization", "x", "REDACTED"},
		{"Cookie", "a=b; c=d", "REDACTED"},
		{"Set-Cookie", "sid=1; Path=/", "REDACTED"},
		{"X-API-Key", "k", "REDACTED"},
		{"Api-Key", "k", "REDACTED"},
		{"X-Auth-Token", "k", "REDACTED"},
		{"X-Amz-Security-Token", "k", "REDACTED"},
		{"X-Vault-Token", "k", "REDACTED"},
		{"Private-Token", "k", "REDACTED"},
		{"Ocp-Apim-Subscription-Key", "k", "REDACTED"},
		{"Cf-Access-Jwt-Assertion", "k", "REDACTED"},
		{"X-Authorization-Foo", "k", "REDACTED"},
		{"Authorization", "", ""},
		{"Content-Type", "application/json; charset=utf-8", "application/json; charset=utf-8"},
		{"Sec-WebSocket-Key", "dGhlIHNhbXBsZQ==", "dGhlIHNhbXBsZQ=="},
		{"Idempotency-Key", "42", "42"},
		{"ETag", `"abc=="`, `"abc=="`},
		{"Traceparent", "00-1-2-01", "00-1-2-01"},
		{"Referer", "https://u:p@h/x?token=abc&a=1#f", "https://REDACTED:REDACTED@h/x?token=REDACTED&a=1#f"},
		{"Location", "/cb?code=1&access_token=abc", "/cb?code=1&access_token=REDACTED"},
		{"Location", "/cb#access_token=abc&state=2", "/cb#access_token=REDACTED&state=2"},
		{"Location", "//u:p@h/x", "//REDACTED:REDACTED@h/x"},
		{"Host", "u:p@h:80", "REDACTED:REDACTED@h:80"},
		{"x-forwarded-host", "u@h", "REDACTED@h"},
		{"From", "someone@example.com", "someone@example.com"},
		{"X-Debug", `client_secret="s3 cr3t", a=b`, `client_secret="REDACTED", a=b`},
	} {
		assert.Equal(t, c.want, New(Default()).Header(c.name, c.value), "%s: %s", c.name, c.value)
	}
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"https://user:pw@example.com/a":             "https://REDACTED:REDACTED@example.com/a",
		"https://ghp_token@example.com/a":           "https://REDACTED@example.com/a",
		"https://u:p@ss@example.com/a@b":            "https://REDACTED:REDACTED@example.com/a@b",
		"/plain?a=1&b=2":                            "/plain?a=1&b=2",
		"/x?X-Amz-Signature=ab&X-Amz-Date=1":        "/x?X-Amz-Signature=REDACTED&X-Amz-Date=1",
		"/x?X-Amz-Credential=ab&X-Goog-Signature=c": "/x?X-Amz-Credential=REDACTED&X-Goog-Signature=REDACTED",
		"/x?AWSAccessKeyId=ab&Signature=c&sig=d":    "/x?AWSAccessKeyId=REDACTED&Signature=REDACTED&sig=REDACTED",
		"/x?TOKEN=ab":                               "/x?TOKEN=REDACTED",
		"/x?api%5Fkey=ab":                           "/x?api%5Fkey=REDACTED",
		"/x?user[password]=ab&q=1":                  "/x?user[password]=REDACTED&q=1",
		"/x?a=1;password=2":                         "/x?a=1;password=REDACTED",
		"/x?password=&q=1":                          "/x?password=&q=1",
		"/x?password":                               "/x?password",
		"/x?next=a=b&page_token=abc":                "/x?next=a=b&page_token=abc",
		"/x?payload=%7B%22token%22%3A%22abc%22%7D":  "/x?payload=%7B%22token%22%3A%22REDACTED%22%7D",
		"/x?redirect_uri=https%3A%2F%2Fu%3Ap%40h%2F%3Ftoken%3Dabc%26a%3Db": "/x?redirect_uri=https%3A%2F%2FREDACTED%3AREDACTED%40h%2F%3Ftoken%3DREDACTED%26a%3Db",
		"/x?name=caf%C3%A9%20noir":   "/x?name=caf%C3%A9%20noir",
		"mailto:someone@example.com": "mailto:someone@example.com",
		"":                           "",
	} {
		assert.Equal(t, want, New(Default()).URL(in))
	}
	assert.Equal(t, "token=REDACTED&a=1", New(Default()).Query("token=abc&a=1"))
}

func TestBody(t *testing.T) {
	for _, c := range []struct{ mediaType, in, want string }{
		{"application/json", `{"user":"bob","password":"hunter2"}`, `{"user":"bob","password":"REDACTED"}`},
		{"application/json", `{ "Password" : "hunter2" , "n":1}`, `{ "Password" : "REDACTED" , "n":1}`},
		{"application/json", `{"user_password":"a","clientSecret":"b","private_key":"c","x":"d"}`, `{"user_password":"REDACTED","clientSecret":"REDACTED","private_key":"REDACTED","x":"d"}`},
		{"application/json", `{"password":"a\"b\\","x":1}`, `{"password":"REDACTED","x":1}`},
		{"application/json", `{"token":12345,"x":1}`, `{"token":"REDACTED","x":1}`},
		{"application/json", `{"secret":{"a":[1,"}"],"b":"\"}"},"x":1}`, `{"secret":"REDACTED","x":1}`},
		{"application/json", `{"credentials":["a","]"],"x":1}`, `{"credentials":"REDACTED","x":1}`},
		{"application/json", `{"password":null,"a_token":"","password_set":true}`, `{"password":null,"a_token":"","password_set":true}`},
		{"application/json", `{"max_tokens":100,"next_page_token":"abc"}`, `{"max_tokens":100,"next_page_token":"abc"}`},
		{"application/json", `{"pass\u0077ord":"x"}`, `{"pass\u0077ord":"REDACTED"}`},
		{"application/json", `{"a":"password","b":"c"}`, `{"a":"password","b":"c"}`},
		{"application/json", `[{"pin":1234},{"pin":5678}]`, `[{"pin":"REDACTED"},{"pin":"REDACTED"}]`},
		// Cut short at every awkward place.
		{"application/json", `{"password":"hunt`, `{"password":"REDACTED`},
		{"application/json", `{"password":"hunt\`, `{"password":"REDACTED`},
		{"application/json", `{"password":12`, `{"password":"REDACTED"`},
		{"application/json", `{"secret":{"a":"b`, `{"secret":"REDACTED"`},
		{"application/json", `{"password":`, `{"password":`},
		{"application/json", `{"passw`, `{"passw`},
		// Started in the middle: of a string, of a name.
		{"application/json", `lo","password":"hunter2","a":"b"}`, `lo","password":"REDACTED","a":"b"}`},
		{"application/json", `ser_password":"hunter2","a":"b"}`, `ser_password":"REDACTED","a":"b"}`},
		// JSON in JSON.
		{"application/json", `{"msg":"{\"password\":\"hunter2\",\"a\":\"b\"}","c":1}`, `{"msg":"{\"password\":\"REDACTED\",\"a\":\"b\"}","c":1}`},
		{"application/json", `{"msg":"{\"token\":123,\"a\":\"b\"}","c":1}`, `{"msg":"{\"token\":\"REDACTED\",\"a\":\"b\"}","c":1}`},
		{"application/json", `{"m":"{\"m\":\"{\\\"password\\\":\\\"hun\\\\\\\"ter2\\\"}\"}"}`, `{"m":"{\"m\":\"{\\\"password\\\":\\\"REDACTED\\\"}\"}"}`},
		{"application/json", `{"msg":"{\"password\":\"hunter2","c":1}`, `{"msg":"{\"password\":\"REDACTED","c":1}`},
		{"application/json", `{"url":"https://u:p@h/?token=abc&x=1","n":"a=b"}`, `{"url":"https://REDACTED:REDACTED@h/?token=REDACTED&x=1","n":"a=b"}`},
		{"application/json", `{"url":"https:\/\/u:p@h\/?a=1\u0026token=abc\u0026x=1"}`, `{"url":"https:\/\/REDACTED:REDACTED@h\/?a=1\u0026token=REDACTED\u0026x=1"}`},
		{"application/x-ndjson", "{\"token\":\"a\"}\n{\"token\":\"b\"}\n", "{\"token\":\"REDACTED\"}\n{\"token\":\"REDACTED\"}\n"},
		{"text/event-stream", "data: {\"token\":\"a\"}\n\n", "data: {\"token\":\"REDACTED\"}\n\n"},
		{"application/graphql", `mutation { login(user: "bob", password: "hunter2") }`, `mutation { login(user: "bob", password: "REDACTED") }`},
		{"application/json", `{"query":"mutation { login(password: \"hunter2\") }"}`, `{"query":"mutation { login(password: \"REDACTED\") }"}`},
		{"", `{'password': 'hunter2', 'a': 'b'}`, `{'password': 'REDACTED', 'a': 'b'}`},
		{"application/yaml", "user: bob\npassword: hunter2\nport: 1\n", "user: bob\npassword: REDACTED\nport: 1\n"},
		{"text/html", "<label>Password: </label>", "<label>Password: </label>"},

		{"application/x-www-form-urlencoded", "user=bob&password=hunter2&x=1", "user=bob&password=REDACTED&x=1"},
		{"application/x-www-form-urlencoded", "password=hun%26ter2%3D=;x", "password=REDACTED"},
		{"application/x-www-form-urlencoded", "password=hunt", "password=REDACTED"},
		{"application/x-www-form-urlencoded", "client%5Fsecret=x&a=password", "client%5Fsecret=REDACTED&a=password"},
		{"application/x-www-form-urlencoded", "user%5Bpassword%5D=x", "user%5Bpassword%5D=REDACTED"},
		{"application/x-www-form-urlencoded", `{"password":"hunter2"}`, `{"password":"REDACTED"}`},
		{"application/x-www-form-urlencoded", "payload=%7B%22token%22%3A%22ab%25c%22%7D&a=1", "payload=%7B%22token%22%3A%22REDACTED%22%7D&a=1"},
		{"application/x-www-form-urlencoded", "payload=%7B%22token%22%3A%22abc%2", "payload=%7B%22token%22%3A%22REDACTED"},
		{"text/plain", "user=bob\r\npassword=hunter2\r\nx=1", "user=bob\r\npassword=REDACTED\r\nx=1"},

		{
			"multipart/form-data", "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nplain\r\n--b--\r\n",
			"--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nREDACTED\r\n--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nplain\r\n--b--\r\n",
		},
		{"multipart/form-data", "--b\r\ncontent-disposition: form-data; name=password\r\n\r\nhunt", "--b\r\ncontent-disposition: form-data; name=password\r\n\r\nREDACTED"},
		{"multipart/form-data", "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"token\":\"abc\"}\r\n--b--", "--b\r\nContent-Disposition: form-data; name=\"meta\"\r\nContent-Type: application/json\r\n\r\n{\"token\":\"REDACTED\"}\r\n--b--"},
		{"multipart/form-data", "ost\r\n--b\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nhunter2\r\n--b--", "ost\r\n--b\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nREDACTED\r\n--b--"},

		{"multipart/form-data", "--b\nContent-Disposition: form-data; name=\"pwd\"\n\nhun--bter2\n--b--", "--b\nContent-Disposition: form-data; name=\"pwd\"\n\nREDACTED\n--b--"},
		{
			"multipart/form-data", "--b\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"otp\"\r\n\r\n1\r\n--b--",
			"--b\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"otp\"\r\n\r\nREDACTED\r\n--b--",
		},

		{"text/xml", `<a:E><wsse:Password Type="x">hunter2</wsse:Password><b>c</b></a:E>`, `<a:E><wsse:Password Type="x">REDACTED</wsse:Password><b>c</b></a:E>`},
		{"application/soap+xml", `<password>hunt`, `<password>REDACTED`},
		{"application/xml", `<user name="bob" password="hunter2"/><password/>`, `<user name="bob" password="REDACTED"/><password/>`},

		{"image/png", `{"password":"hunter2"}`, `{"password":"hunter2"}`},
	} {
		in := []byte(c.in)
		assert.Equal(t, c.want, string(New(Default()).Body(c.mediaType, in)), c.in)
		assert.Equal(t, c.in, string(in), "the input is not changed")
	}
}

func TestCommandLine(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"app --password=hunter2 --port=80", "app --password=REDACTED --port=80"},
		{"app --password hunter2 --port 80", "app --password REDACTED --port 80"},
		{"app --api-key hunter2", "app --api-key REDACTED"},
		{"app DB_PASSWORD=hunter2 A=1", "app DB_PASSWORD=REDACTED A=1"},
		{"java -Dspring.datasource.password=hunter2 -jar x.jar", "java -Dspring.datasource.password=REDACTED -jar x.jar"},
		{"/usr/bin/mysql -uroot -phunter2 db", "/usr/bin/mysql -uroot -pREDACTED db"},
		{"mysql -p db", "mysql -p db"},
		{"nc -p 8080", "nc -p 8080"},
		{"redis-cli -a hunter2 get x", "redis-cli -a REDACTED get x"},
		{"curl -u bob:hunter2 http://x/", "curl -u REDACTED http://x/"},
		{"curl --user bob:hunter2 http://x/", "curl --user REDACTED http://x/"},
		{"curl https://bob:hunter2@x/?token=abc", "curl https://REDACTED:REDACTED@x/?token=REDACTED"},
		{"psql postgresql://bob:hunter2@x/db", "psql postgresql://REDACTED:REDACTED@x/db"},
		{"curl -d {\"password\":\"hunter2\"}", "curl -d {\"password\":\"REDACTED\"}"},
		{"curl -d user=bob&password=hunter2", "curl -d user=bob&password=REDACTED"},
		{"app --token --verbose", "app --token --verbose"},
		{"gunicorn -w 4 app:app", "gunicorn -w 4 app:app"},
	} {
		in := strings.Fields(c.in)
		assert.Equal(t, strings.Fields(c.want), New(Default()).CommandLine(in))
		assert.Equal(t, strings.Fields(c.in), in, "the input is not changed")
	}
	assert.Equal(t, []string{"curl", "-H", "Authorization: REDACTED", "x"}, New(Default()).CommandLine([]string{"curl", "-H", "Authorization: Bearer abc", "x"}))
	assert.Empty(t, New(Default()).CommandLine(nil))
}

func TestSettings(t *testing.T) {
	s := Default()
	s.ExtraHeaders, s.ExtraQuery, s.ExtraKeys = []string{"X-Mine"}, []string{"my_param"}, []string{"my-key"}
	s.Allow = []string{"csrf_token"}
	r := New(s)
	assert.Equal(t, Marker, r.Header("x_mine", "v"))
	assert.Equal(t, "v", r.Header("CSRF-Token", "v"))
	assert.Equal(t, "/?myParam=REDACTED&csrfToken=v", r.URL("/?myParam=v&csrfToken=v"))
	assert.Equal(t, `{"myKey":"REDACTED","csrfToken":"v"}`, string(r.Body("application/json", []byte(`{"myKey":"v","csrfToken":"v"}`))))
	assert.EqualValues(t, 3, r.Applied())

	off := New(Settings{})
	assert.Equal(t, "v", off.Header("Authorization", "v"))
	assert.Equal(t, "http://a:b@c/?token=v", off.URL("http://a:b@c/?token=v"))
	assert.Equal(t, "token=v", off.Query("token=v"))
	for _, mediaType := range []string{"application/json", "text/plain", "text/xml", "multipart/form-data", "application/x-www-form-urlencoded"} {
		assert.Equal(t, `{"password":"v"}`, string(off.Body(mediaType, []byte(`{"password":"v"}`))))
	}
	assert.Equal(t, []string{"a", "--password=v"}, off.CommandLine([]string{"a", "--password=v"}))
	assert.Zero(t, off.Applied())
}

func TestLongNames(t *testing.T) {
	r := New(Default())
	long := strings.Repeat("a.very.long.prefix.", 20) + "password"
	assert.NotContains(t, string(r.Body("application/json", []byte(`{"`+long+`":"hunter2"}`))), "hunter2")
	huge := strings.Repeat("x", 10_000) + "password"
	assert.NotContains(t, string(r.Body("application/json", []byte(`{"`+huge+`":"hunter2"}`))), "hunter2")
}

// TestRememberedVerdicts sends more names than are remembered, secret ones among
// them, twice and in other spellings.
func TestRememberedVerdicts(t *testing.T) {
	r := New(Default())
	for range 2 {
		for i := range 4 * len(r.keys.verdicts) {
			harmless, secret := fmt.Sprintf("pass%dw", i), fmt.Sprintf("%d_Pass_Word", i)
			require.Equal(t, "v", r.Header(harmless, "v"))
			require.Equal(t, Marker, r.Header(secret, "v"))
			require.Equal(t, Marker, r.Header(strings.ToUpper(secret), "v"))
		}
	}
}
