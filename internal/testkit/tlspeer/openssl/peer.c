// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Speaks HTTP/1 over TLS with OpenSSL or BoringSSL, in one of the ways in which its functions can be
// used, which a test looks into.
//
//	peer serve WAY CERTIFICATE KEY              answers GET /SIZE, and says where
//	peer get WAY AT AUTHORITY SEQUENCE SIZE...  asks for each size, and says what it got
//
// Ways:
//
//	plain        one SSL_write for each message
//	ex           SSL_write_ex and SSL_read_ex
//	peek         SSL_peek and SSL_peek_ex before each of many small reads
//	partial      no waiting, and as much of a message as can be sent at once
//	retry        no waiting, and the same call again until all of it is sent
//	renegotiate  a new handshake before each request (TLS 1.2)
//	update       new keys before each message (TLS 1.3)
//	early        each request is early data of a connection of its own (TLS 1.3)
//	shutdown     one request for each connection, which is closed before the response
//	memory       between two buffers in memory, which the program fills and sends
//	pair         the same with a pair of BIOs
//	own          the same with BIOs of the program's own

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#ifdef OPENSSL_IS_BORINGSSL // which has no such functions
#define SSL_write_ex(ssl, b, n, written) (*(written) = 0, 0)
#define SSL_read_ex(ssl, b, n, got) 0
#define SSL_peek_ex(ssl, b, n, seen) (*(seen) = 0, SSL_peek(ssl, b, n))
#define SSL_write_early_data(ssl, b, n, written) (*(written) = 0, 0)
#define SSL_read_early_data(ssl, b, n, got) (*(got) = 0, SSL_READ_EARLY_DATA_ERROR)
#define SSL_get_early_data_status(ssl) 0
#define SSL_SESSION_get_max_early_data(session) 0
#define SSL_CTX_set_max_early_data(context, n) (void)0
#define SSL_OP_ALLOW_CLIENT_RENEGOTIATION 0
#ifndef SSL_KEY_UPDATE_REQUESTED // before 2019
#define SSL_key_update(ssl, request) 0
#endif
enum { SSL_READ_EARLY_DATA_ERROR, SSL_READ_EARLY_DATA_FINISH, SSL_EARLY_DATA_ACCEPTED };
#endif

static const char *way;

static int is(const char *name) { return strcmp(way, name) == 0; }

static void fail(const char *what)
{
	fprintf(stderr, "%s %s: ", way, what);
	ERR_print_errors_fp(stderr);
	perror("");
	exit(1);
}

// What is between the socket and a library that reads and writes memory.
static int wire;
static BIO *in, *out;
static SSL *other;

static int in_memory(void) { return is("memory") || is("pair") || is("own"); }

static int own_write(BIO *bio, const char *b, int n)
{
	BIO_clear_retry_flags(bio);
	return BIO_write(BIO_get_data(bio), b, n);
}

static int own_read(BIO *bio, char *b, int n)
{
	int got = BIO_read(BIO_get_data(bio), b, n);

	BIO_clear_retry_flags(bio);
	if (got <= 0)
		BIO_set_retry_read(bio);
	return got;
}

static long own_control(BIO *bio, int command, long n, void *p)
{
	(void)bio;
	(void)n;
	(void)p;
	return command == BIO_CTRL_FLUSH;
}

// own_bio is one of which nobody knows where it keeps what is written.
static BIO *own_bio(BIO *store)
{
	static BIO_METHOD *method;
	BIO *bio;

	if (!method) {
		method = BIO_meth_new(127 | BIO_TYPE_SOURCE_SINK, "own");
		BIO_meth_set_write(method, own_write);
		BIO_meth_set_read(method, own_read);
		BIO_meth_set_ctrl(method, own_control);
	}
	bio = BIO_new(method);
	BIO_set_data(bio, store);
	BIO_set_init(bio, 1);
	return bio;
}

static void set_memory(SSL *ssl, int fd)
{
	BIO *inner;

	wire = fd;
	if (is("pair")) {
		if (BIO_new_bio_pair(&inner, 0, &out, 0) != 1)
			fail("make a pair");
		in = out;
		SSL_set_bio(ssl, inner, inner);
	} else {
		in = BIO_new(BIO_s_mem());
		out = BIO_new(BIO_s_mem());
		SSL_set_bio(ssl, is("own") ? own_bio(in) : in, is("own") ? own_bio(out) : out);
	}
	SSL_free(other);
	other = SSL_new(SSL_get_SSL_CTX(ssl));
	SSL_set_bio(other, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_connect_state(other);
}

// send_output sends what is in memory, when another object was the last to put something there.
static void send_output(void)
{
	char b[16384];
	int n;

	if (!in_memory())
		return;
	SSL_do_handshake(other);
	while ((n = BIO_read(out, b, sizeof(b))) > 0)
		for (int sent = 0, more; sent < n; sent += more)
			if ((more = (int)write(wire, b + sent, n - sent)) <= 0)
				fail("send");
}

// get_input gives 0 at the end.
static int get_input(void)
{
	char b[4096];
	int n = (int)read(wire, b, sizeof(b));

	return n > 0 && BIO_write(in, b, n) == n;
}

// again waits for the socket if that is what a call needs.
static int again(SSL *ssl, int result)
{
	int reason = SSL_get_error(ssl, result);
	struct pollfd p = { .fd = SSL_get_fd(ssl), .events = reason == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN };

	if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
		return 0;
	if (in_memory()) {
		send_output();
		return reason == SSL_ERROR_WANT_WRITE || get_input();
	}
	poll(&p, 1, -1);
	return 1;
}

static size_t write_some(SSL *ssl, const char *b, size_t n)
{
	size_t written;
	int r;

	if (is("ex")) {
		if (SSL_write_ex(ssl, b, n, &written) != 1)
			fail("write");
		return written;
	}
	while ((r = SSL_write(ssl, b, (int)n)) <= 0)
		if (!again(ssl, r))
			fail("write");
	return (size_t)r;
}

static void write_all(SSL *ssl, const char *b, size_t n)
{
	if (is("update") && SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) != 1)
		fail("update keys");
	while (n > 0) {
		size_t written = write_some(ssl, b, n);

		b += written;
		n -= written;
	}
	send_output();
}

static void peek(SSL *ssl, char *b)
{
	size_t seen;
	int r;

	if (SSL_peek(ssl, b, 100) < 0)
		fail("peek");
	r = SSL_peek_ex(ssl, b, 1000, &seen);
	if (r <= 0 && SSL_get_error(ssl, r) != SSL_ERROR_ZERO_RETURN)
		fail("peek");
}

// read_some gives 0 at the end.
static size_t read_some(SSL *ssl, char *b, size_t n)
{
	size_t got = 0;
	int r;

	if (is("ex")) {
		r = SSL_read_ex(ssl, b, n < 1500 ? n : 1500, &got);
		if (r == 1)
			return got;
		if (SSL_get_error(ssl, r) != SSL_ERROR_ZERO_RETURN)
			fail("read");
		return 0;
	}
	if (is("peek")) {
		if (n > 1000)
			n = 1000;
		peek(ssl, b);
	}
	while ((r = SSL_read(ssl, b, (int)(n > 65536 ? 65536 : n))) <= 0) {
		if (SSL_get_error(ssl, r) == SSL_ERROR_ZERO_RETURN)
			return 0;
		if (!again(ssl, r))
			fail("read");
	}
	return (size_t)r;
}

// What was read and not used yet.
static char ahead[65536];
static size_t ahead_at, ahead_end;

// take gives up to n bytes, 0 at the end.
static size_t take(SSL *ssl, char *b, size_t n)
{
	if (ahead_at == ahead_end) {
		ahead_at = 0;
		ahead_end = read_some(ssl, ahead, sizeof(ahead));
	}
	if (n > ahead_end - ahead_at)
		n = ahead_end - ahead_at;
	memcpy(b, ahead + ahead_at, n);
	ahead_at += n;
	return n;
}

// read_head gives 0 at the end.
static int read_head(SSL *ssl, char *head, size_t size)
{
	size_t n = 0;

	while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4) != 0) {
		if (n + 1 >= size || take(ssl, head + n, 1) == 0)
			return 0;
		n++;
	}
	head[n] = 0;
	return 1;
}

// fill makes the body of a size.
static void fill(unsigned char *b, size_t n)
{
	uint64_t x = n;

	for (size_t i = 0; i < n; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		b[i] = (unsigned char)(x >> 56);
	}
}

static void answer(SSL *ssl, const char *request)
{
	size_t size = strtoul(request + strlen("GET /"), NULL, 10);
	const char *field = strcasestr(request, "X-Sequence: ");
	char *b = malloc(size + 4096);
	int head = snprintf(b, 4096, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n%.*s\r\n\r\n", size,
		(int)strcspn(field, "\r"), field);

	fill((unsigned char *)b + head, size);
	write_all(ssl, b, head + size); // at once
	free(b);
}

static int listening(struct sockaddr_in *at)
{
	socklen_t length = sizeof(*at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	at->sin_family = AF_INET;
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (void *)at, length) || listen(fd, 16) || getsockname(fd, (void *)at, &length))
		fail("listen");
	return fd;
}

static void set_modes(SSL *ssl, int fd)
{
	int small = 8192;

	if (in_memory()) {
		set_memory(ssl, fd);
		return;
	}
	SSL_set_fd(ssl, fd);
	if (is("partial"))
		SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
	if (is("partial") || is("retry")) {
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
}

// accept_early reads early data, then ends the handshake.
static int accept_early(SSL *ssl, char *b, size_t size)
{
	size_t n = 0, got;

	for (;;) {
		int r = SSL_read_early_data(ssl, b + n, size - n - 1, &got);

		if (r == SSL_READ_EARLY_DATA_ERROR)
			fail("read early data");
		n += got;
		if (r == SSL_READ_EARLY_DATA_FINISH)
			break;
	}
	if (SSL_accept(ssl) != 1)
		fail("accept");
	b[n] = 0;
	return n > 0;
}

static void serve_one(SSL *ssl)
{
	char request[4096];
	int r;

	if (is("early") && accept_early(ssl, request, sizeof(request)))
		answer(ssl, request);
	while ((r = SSL_accept(ssl)) <= 0)
		if (!again(ssl, r))
			fail("accept");
	send_output();
	while (read_head(ssl, request, sizeof(request)))
		answer(ssl, request);
	SSL_shutdown(ssl);
	send_output();
}

static void serve(SSL_CTX *context, const char *certificate, const char *key)
{
	struct sockaddr_in at = { 0 };
	int fd = listening(&at);

	if (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 || SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1)
		fail("read certificate");
	SSL_CTX_set_max_early_data(context, 16384);
	SSL_CTX_set_options(context, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
	SSL_CTX_set_session_id_context(context, (void *)"peer", 4);
	printf("127.0.0.1:%d\n", ntohs(at.sin_port));
	fflush(stdout);
	for (;;) {
		int connection = accept(fd, NULL, NULL);
		SSL *ssl = SSL_new(context);

		set_modes(ssl, connection);
		serve_one(ssl);
		SSL_free(ssl);
		close(connection);
	}
}

static SSL *connect_to(SSL_CTX *context, const char *at, SSL_SESSION *session)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(atoi(strchr(at, ':') + 1)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	SSL *ssl = SSL_new(context);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (void *)&to, sizeof(to)))
		fail("connect");
	set_modes(ssl, fd);
	if (session)
		SSL_set_session(ssl, session);
	return ssl;
}

static void connected(SSL *ssl)
{
	int r;

	while ((r = SSL_connect(ssl)) <= 0)
		if (!again(ssl, r))
			fail("connect");
	send_output();
}

// read_response says what came.
static void read_response(SSL *ssl)
{
	char head[4096], *length, *b;
	uint64_t sum = 14695981039346656037u; // FNV-1a
	size_t size, n = 0;

	if (!read_head(ssl, head, sizeof(head)) || !(length = strcasestr(head, "Content-Length: ")))
		fail("read header");
	size = strtoul(length + 16, NULL, 10);
	b = malloc(size + 1);
	while (n < size) {
		size_t got = take(ssl, b + n, size - n);

		if (!got)
			fail("read body");
		n += got;
	}
	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)b[i]) * 1099511628211u;
	free(b);
	printf("%zu %016llx\n", size, (unsigned long long)sum);
}

static int write_request(char *b, size_t size, const char *sequence, const char *of)
{
	return snprintf(b, size, "GET /%s HTTP/1.1\r\nHost: localhost\r\nX-Sequence: %s-%s\r\n\r\n", of, sequence, of);
}

static void close_connection(SSL *ssl)
{
	int fd = in_memory() ? wire : SSL_get_fd(ssl);

	if (SSL_shutdown(ssl) == 0 && !in_memory())
		SSL_shutdown(ssl);
	send_output();
	SSL_free(ssl);
	close(fd);
}

// get_each uses a connection for each request.
static void get_each(SSL_CTX *context, const char *at, const char *sequence, char **sizes)
{
	SSL_SESSION *session = NULL;
	char request[4096];

	for (; *sizes; sizes++) {
		SSL *ssl = connect_to(context, at, session);
		size_t n = write_request(request, sizeof(request), sequence, *sizes), written;

		if (session && SSL_SESSION_get_max_early_data(session)) {
			SSL_set_connect_state(ssl);
			if (SSL_write_early_data(ssl, request, n, &written) != 1 || written != n)
				fail("write early data");
			connected(ssl);
		} else {
			connected(ssl);
			write_all(ssl, request, n);
		}
		if (is("shutdown") && SSL_shutdown(ssl) < 0)
			fail("shut down");
		read_response(ssl);
		if (is("early")) {
			if (session && SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_ACCEPTED)
				fail("early data");
			SSL_SESSION_free(session);
			session = SSL_get1_session(ssl);
		}
		close_connection(ssl);
	}
}

static void get(SSL_CTX *context, const char *at, const char *sequence, char **sizes)
{
	SSL *ssl = connect_to(context, at, NULL);
	char request[4096];

	connected(ssl);
	for (; *sizes; sizes++) {
		if (is("renegotiate") && (SSL_renegotiate(ssl) != 1 || SSL_do_handshake(ssl) != 1))
			fail("renegotiate");
		write_all(ssl, request, write_request(request, sizeof(request), sequence, *sizes));
		read_response(ssl);
	}
	close_connection(ssl);
}

int main(int n, char **arguments)
{
	SSL_CTX *context;

	if (n < 5)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	way = arguments[2];
	context = SSL_CTX_new(TLS_method());
	if (is("renegotiate"))
		SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
	if (strcmp(arguments[1], "serve") == 0) {
		serve(context, arguments[3], arguments[4]);
		return 0;
	}
	if (SSL_CTX_load_verify_locations(context, arguments[4], NULL) != 1)
		fail("read authority");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	if (is("early") || is("shutdown"))
		get_each(context, arguments[3], arguments[5], arguments + 6);
	else
		get(context, arguments[3], arguments[5], arguments + 6);
	return 0;
}
