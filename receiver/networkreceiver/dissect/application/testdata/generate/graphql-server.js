// Copyright The Wirespan Authors
// SPDX-License-Identifier: Apache-2.0

// A GraphQL server with queries, mutations, subscriptions, @defer, batches and persisted
// operations.
import http from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { useDeferStream } from '@graphql-yoga/plugin-defer-stream';
import { usePersistedOperations } from '@graphql-yoga/plugin-persisted-operations';
import { GraphQLError } from 'graphql';

const hash = 'ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38';
const schema = createSchema({
  typeDefs: /* GraphQL */ `
    type User { id: ID! name: String! slow: String! }
    type Query { user(id: ID!): User users: [User!]! broken: String secret: String }
    type Mutation { rename(id: ID!, name: String!, password: String): User! }
    type Subscription { ticks(to: Int!): Int! }
  `,
  resolvers: {
    Query: {
      user: (_, { id }) => (id === '0' ? null : { id, name: `user ${id}` }),
      users: () => [{ id: '1', name: 'ann' }, { id: '2', name: 'bob' }],
      broken: () => {
        throw new GraphQLError('it is broken', { extensions: { code: 'OUT_OF_ORDER' } });
      },
      secret: () => {
        throw new GraphQLError('not for you');
      },
    },
    User: { slow: () => new Promise((resolve) => setTimeout(() => resolve('late'), 60)) },
    Mutation: { rename: (_, { id, name }) => ({ id, name }) },
    Subscription: {
      ticks: {
        async *subscribe(_, { to }) {
          for (let i = 1; i <= to; i++) {
            await new Promise((resolve) => setTimeout(resolve, 20));
            yield { ticks: i };
          }
        },
      },
    },
  },
});
const yoga = createYoga({
  schema,
  batching: true,
  logging: false,
  maskedErrors: false,
  plugins: [
    useDeferStream(),
    usePersistedOperations({ allowArbitraryOperations: true, getPersistedOperation: (key) => (key === hash ? '{ users { name } }' : null) }),
  ],
});
http.createServer(yoga).listen(Number(process.argv[2]), '127.0.0.1');
