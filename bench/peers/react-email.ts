import { render } from '@react-email/render'
import Handlebars from 'handlebars'
import { createElement } from 'react'
import { optionsFromBench } from '../measure.ts'
import { mailByQueue, type QueueOptions } from './queue-worker.ts'
import { Digest } from './react-digest.ts'

// The same digest from React components, rendered for each email. The text part is our precompiled one: converting the
// HTML to text, as is usual, would double the cost.
await mailByQueue(optionsFromBench<QueueOptions>(), ({ sources }) => {
  const textOf = Handlebars.compile(sources.text, { noEscape: true })
  return async (view) => ({ html: await render(createElement(Digest, { view })), text: textOf(view) })
})
