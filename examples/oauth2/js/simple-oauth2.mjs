// Prints a token that simple-oauth2 gets from the agent's token endpoint, by its
// settings alone.

import { ClientCredentials } from 'simple-oauth2'

const { origin, pathname } = new URL(process.env.TOKEN_URL) // http://localhost:2774/oauth2/token
const client = new ClientCredentials({
  client: { id: process.env.CLIENT_ID, secret: process.env.CLIENT_SECRET },
  auth: { tokenHost: origin, tokenPath: pathname },
})
console.log((await client.getToken({})).token.access_token)
