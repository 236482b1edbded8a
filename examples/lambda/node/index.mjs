// A Lambda function with the extension's layer: it calls an API with a token.

const { TOKENVEND_AGENT_PORT = '2774', AWS_SESSION_TOKEN, AWS_CONTAINER_AUTHORIZATION_TOKEN, API_URL } = process.env
const agent = `http://localhost:${TOKENVEND_AGENT_PORT}`
const key = { 'Tokenvend-Agent-Key': AWS_SESSION_TOKEN || AWS_CONTAINER_AUTHORIZATION_TOKEN }

async function get(url, headers) {
  const answer = await fetch(url, { headers })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${new URL(url).host} answers ${answer.status}`)
  return text
}

export async function handler() {
  const authorization = await get(`${agent}/authorization/minut`, key)
  return get(API_URL, { Authorization: authorization })
}
