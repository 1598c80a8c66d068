import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Handlebars from 'handlebars'
import mjml2html from 'mjml'
import { optionsFromBench } from '../measure.ts'
import { mailByQueue, type QueueOptions } from './queue-worker.ts'

export type TextbookOptions = QueueOptions & { tuned?: boolean }

// What most guides show: for each email, the template is filled in and compiled by MJML. The source is read and Handlebars
// compiled once, and there are no includes. `tuned` also turns off MJML's checks, which no guide does.
const options = optionsFromBench<TextbookOptions>()
const mjmlOf = Handlebars.compile(readFileSync(join(import.meta.dirname, 'digest.mjml'), 'utf8'))
const mjmlOptions = options.tuned
  ? ({ validationLevel: 'skip', fonts: {}, keepComments: false } as const)
  : {}

await mailByQueue(options, ({ sources }) => {
  const textOf = Handlebars.compile(sources.text, { noEscape: true })
  return async (view) => {
    const { html } = await mjml2html(mjmlOf(view), mjmlOptions)
    return { html, text: textOf(view) }
  }
})
