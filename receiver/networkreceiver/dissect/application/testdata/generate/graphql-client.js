// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Calls a GraphQL server. The first argument is what to call, the second the port.
const [what, port] = process.argv.slice(2);
const url = `http://127.0.0.1:${port}/graphql`;

async function post(body, headers = {}) {
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: typeof body === 'string' ? body : JSON.stringify(body) });
  await response.text();
}
const get = async (params, headers = {}) => (await fetch(`${url}?${new URLSearchParams(params)}`, { headers })).text();
const hash = 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38';

const calls = {
  async operations() {
    await post({ query: '{ users { id name } }' });
    await post({ query: 'query GetUser($id: ID!) { user(id: $id) { name } }', variables: { id: '7' } });
    await post({ query: 'query A { users { id } } query B { user(id: 1) { name } }', operationName: 'B' });
    await post({ query: 'mutation Rename($name: String!) { rename(id: 1, name: $name, password: "hunter2") { name } }', variables: { name: 'eve', password: 'hunter2' } });
    await get({ query: 'query ByGet($id: ID!) { user(id: $id) { id } }', variables: '{"id":"3"}', operationName: 'ByGet' });
    await post({ query: '# who\nfragment F on User { name } query WithFragment { users { ...F } }' });
  },
  async errors() {
    await post({ query: 'query Broken { broken users { name } }' }); // 200 with data and errors
    await post({ query: '{ broken secret }' }, { Accept: 'application/graphql-response+json' });
    await post({ query: '{ nothing }' }); // does not fit the schema
    await post({ query: '{ users { ' }); // cannot be parsed
    await post('{"query": 5}');
  },
  async batch() {
    await post([{ query: 'query One { users { id } }' }, { query: 'query Two { broken }' }]);
    await post([{ query: '{ users { id } }' }, { query: 'mutation { rename(id: 1, name: "x") { id } }' }]);
  },
  async persisted() {
    const extensions = { persistedQuery: { version: 1, sha256Hash: hash } };
    await post({ extensions });
    await get({ extensions: JSON.stringify(extensions) });
    await post({ extensions: { persistedQuery: { version: 1, sha256Hash: '0'.repeat(64) } } });
  },
  async incremental() {
    await post({ query: 'query Later { user(id: 1) { name ... @defer { slow } } }' }, { Accept: 'multipart/mixed' });
    await post({ query: 'subscription Ticks { ticks(to: 3) }' }, { Accept: 'text/event-stream' });
  },
};
await calls[what]();
