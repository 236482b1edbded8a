// What cdk-nag's packs AwsSolutions and Serverless find in a CloudFormation template, told as JSON: once with every condition true and once with every one false, for the rules do not read conditions.
//
// nag.js TEMPLATE.json FOLDER   FOLDER takes what the CDK writes besides.
'use strict'

const { App, Aspects, Stack } = require('aws-cdk-lib')
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include')
const { AwsSolutionsChecks, ServerlessChecks } = require('cdk-nag')

const fs = require('fs')
const path = require('path')

const [templateFile, outdir] = process.argv.slice(1)
const found = []

// A rule that can't be evaluated is a finding too: nobody knows that it holds.
const tell = (rule, info) => (data) => found.push({
  rule: rule(data), resource: data.resource.node.path.split('/').slice(2).join('/'), info: info(data)
})
const logger = {
  onCompliance () {},
  onNonCompliance: tell(d => d.findingId ? `${d.ruleId}[${d.findingId}]` : d.ruleId, d => d.ruleInfo),
  onSuppressed: tell(d => d.ruleId, () => 'it is suppressed in the template, where nobody reads why'),
  onError: tell(d => d.ruleId, d => `it can't be evaluated: ${d.errorMessage}`),
  onSuppressedError: tell(d => d.ruleId, () => 'it is suppressed in the template, where nobody reads why'),
  onNotApplicable () {}
}

// settled is the template as it is where every condition is that.
function settled (node, truth) {
  if (Array.isArray(node)) return node.map(n => settled(n, truth)).filter(n => n !== undefined)
  if (node === null || typeof node !== 'object') return node
  if (node.Ref === 'AWS::NoValue') return undefined
  if (node['Fn::If']) return settled(node['Fn::If'][truth ? 1 : 2], truth)
  return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, settled(v, truth)]).filter(([, v]) => v !== undefined))
}

function check (truth) {
  const template = JSON.parse(fs.readFileSync(templateFile, 'utf8'))
  template.Resources = settled(template.Resources, truth)
  const file = path.join(outdir, `${truth}.json`)
  fs.writeFileSync(file, JSON.stringify(template))
  const app = new App({ analyticsReporting: false, outdir: path.join(outdir, `${truth}`) })
  new CfnInclude(new Stack(app, 'stack'), 'template', { templateFile: file })
  for (const Pack of [AwsSolutionsChecks, ServerlessChecks]) {
    Aspects.of(app).add(new Pack({ reports: false, additionalLoggers: [logger] }))
  }
  app.synth()
}

check(true)
check(false)
process.stdout.write(JSON.stringify(found))
