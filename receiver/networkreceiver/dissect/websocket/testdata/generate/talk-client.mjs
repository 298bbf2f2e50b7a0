// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Clients for talk-server.mjs: talk-client.mjs graphql|legacy|jsonrpc PORT
import { createClient } from 'graphql-ws'
import { JSONRPCClient, JSONRPCServer, JSONRPCServerAndClient } from 'json-rpc-2.0'
import { SubscriptionClient } from 'subscriptions-transport-ws'
import { WebSocket } from 'ws'

const [what, port] = process.argv.slice(2)

const operations = [
  { query: 'query User($id: ID!) { user(id: $id) { id name } }', variables: { id: '7' } },
  { query: 'mutation Rename { rename(id: "7", name: "x") { name } }' },
  { query: 'mutation Rename($password: String) { rename(id: "7", name: "y", password: $password) { name } }', variables: { password: 'hunter2' } },
  { query: 'query Broken { broken }' },
  { query: 'query Wrong { nothing }' },
  { query: 'subscription Ticks { ticks(count: 3) }' },
  { query: 'subscription { faulty }' },
]

async function modern() {
  const client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket, lazy: false, connectionParams: { token: 'secret' } })
  const run = (operation, cancelAfter) => new Promise((done) => {
    let results = 0
    const stop = client.subscribe(operation, {
      next: () => { if (++results === cancelAfter) { stop(); done() } },
      error: done,
      complete: done,
    })
  })
  for (const operation of operations) await run(operation)
  await Promise.all([run({ query: 'subscription A { ticks(count: 4) }' }), run({ query: 'subscription B { ticks(count: 2) }' })])
  await run({ query: 'subscription Cancelled { ticks(count: 100) }' }, 2)
  await new Promise((done) => setTimeout(done, 50))
  await client.dispose()
}

async function older() {
  const client = new SubscriptionClient(`ws://127.0.0.1:${port}/graphql`, { reconnect: false }, WebSocket)
  const run = (operation, cancelAfter) => new Promise((done) => {
    let results = 0
    const { unsubscribe } = client.request(operation).subscribe({
      next: () => { if (++results === cancelAfter) { unsubscribe(); done() } },
      error: done,
      complete: done,
    })
  })
  for (const operation of operations) await run(operation)
  await run({ query: 'subscription Cancelled { ticks(count: 100) }' }, 2)
  await new Promise((done) => setTimeout(done, 50))
  client.close()
}

async function rpc() {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`)
  await new Promise((done) => socket.on('open', done))
  const both = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient((message) => socket.send(JSON.stringify(message))))
  both.addMethod('who are you', () => 'nobody')
  both.addMethod('news', () => {})
  socket.on('message', (text) => both.receiveAndSend(JSON.parse(text)))
  await both.request('add', [1, 2])
  await Promise.all([both.request('slow'), both.request('add', [3, 4])])
  await Promise.allSettled([both.request('fail'), both.request('nothing')])
  both.notify('note', { text: 'hello' })
  await both.request('ask me')
  const answered = new Promise((done) => socket.once('message', done))
  socket.send(JSON.stringify([{ jsonrpc: '2.0', id: 100, method: 'add', params: [5, 6] }, { jsonrpc: '2.0', id: 101, method: 'fail' }]))
  await answered
  socket.send(JSON.stringify({ jsonrpc: '2.0', id: 'last', method: 'slow' })) // is not waited for
  socket.close()
}

await { graphql: modern, legacy: older, jsonrpc: rpc }[what]()
process.exit()
