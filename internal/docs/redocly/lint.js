// Prints what Redocly's linter finds in an OpenAPI document; nothing where it is clean.
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { readFileSync } from 'node:fs'

const file = process.argv[2]
const config = await createConfig({ extends: ['recommended-strict'] })
const problems = await lintFromString({ source: readFileSync(file, 'utf8'), absoluteRef: file, config })
for (const p of problems) console.log(p.severity, p.ruleId, p.location[0]?.pointer, p.message)
