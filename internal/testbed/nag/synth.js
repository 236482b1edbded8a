// A CDK app that includes a CloudFormation template, as docs/guide/deploy.md shows it. Prints what the CDK synthesizes.
//
// synth.js TEMPLATE.json FOLDER   FOLDER takes what the CDK writes.
'use strict'

const { App, Stack } = require('aws-cdk-lib')
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include')

const [templateFile, outdir] = process.argv.slice(1)
const app = new App({ analyticsReporting: false, outdir })
const stack = new Stack(app, 'tokenvend')
new CfnInclude(stack, 'template', {
  templateFile, parameters: { CodeBucket: 'my-bucket', CodePrefix: 'tokenvend/', DeletionProtection: 'on' }
})
process.stdout.write(JSON.stringify(app.synth().getStackByName('tokenvend').template))
