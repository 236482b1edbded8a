// Prints a token that openid-client gets from the agent's token endpoint, by its
// settings alone.

import * as client from 'openid-client'

const server = { issuer: 'http://localhost', token_endpoint: process.env.TOKEN_URL } // http://localhost:2774/oauth2/token
const config = new client.Configuration(server, process.env.CLIENT_ID, process.env.CLIENT_SECRET)
client.allowInsecureRequests(config) // plain http, on loopback
console.log((await client.clientCredentialsGrant(config)).access_token)
