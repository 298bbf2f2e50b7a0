// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// Servers of what is spoken in WebSocket messages: talk-server.mjs GRAPHQL LEGACY JSONRPC
// (ports): GraphQL by the libraries of its two subprotocols, and JSON-RPC in which the
// server asks as well.
import { createServer } from 'node:http'
import { buildSchema, execute, subscribe } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { JSONRPCClient, JSONRPCErrorException, JSONRPCServer, JSONRPCServerAndClient } from 'json-rpc-2.0'
import { SubscriptionServer } from 'subscriptions-transport-ws'
import { WebSocketServer } from 'ws'

const [graphqlPort, legacyPort, rpcPort] = process.argv.slice(2).map(Number)
const pause = (ms) => new Promise((done) => setTimeout(done, ms))

const schema = buildSchema(`
  type User { id: ID!, name: String! }
  type Query { user(id: ID!): User, broken: String }
  type Mutation { rename(id: ID!, name: String!, password: String): User }
  type Subscription { ticks(count: Int!): Int!, faulty: Int }
`)
const rootValue = {
  user: ({ id }) => ({ id, name: 'user ' + id }),
  broken: () => { throw new Error('it is broken') },
  rename: ({ id, name }) => ({ id, name }),
  async * ticks({ count }) {
    for (let i = 1; i <= count; i++) {
      await pause(20)
      yield { ticks: i }
    }
  },
  async * faulty() {
    yield { faulty: 1 }
    yield { faulty: new Error('no second one') }
  },
}

useServer({ schema, roots: { query: rootValue, mutation: rootValue, subscription: rootValue } }, new WebSocketServer({ port: graphqlPort, path: '/graphql' }))

const legacy = createServer((_, response) => response.writeHead(404).end())
SubscriptionServer.create({ schema, execute, subscribe, rootValue }, { server: legacy, path: '/graphql' })
legacy.listen(legacyPort)

new WebSocketServer({ port: rpcPort }).on('connection', (socket) => {
  const both = new JSONRPCServerAndClient(new JSONRPCServer(), new JSONRPCClient((message) => socket.send(JSON.stringify(message))))
  both.addMethod('add', ([a, b]) => a + b)
  both.addMethod('slow', async () => { await pause(60); return 'done' })
  both.addMethod('fail', () => { throw new JSONRPCErrorException('insufficient funds', -32001, { need: 5 }) })
  both.addMethod('note', () => {})
  both.addMethod('ask me', async () => {
    both.notify('news', { number: 1 })
    return 'you said ' + await both.request('who are you', {})
  })
  socket.on('message', (text) => both.receiveAndSend(JSON.parse(text)))
})
