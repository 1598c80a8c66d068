import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { type CreateEmailOptions, Resend } from 'resend'
import { measured, optionsFromBench, tellBench } from '../measure.ts'

export type CeilingOptions = { bodies: string; providerUrl: string; mails: number; concurrency: number }

// Only the SDK posts prepared batches from memory, over and over, under new keys. No database, no queue.
const { bodies, providerUrl, mails, concurrency } = optionsFromBench<CeilingOptions>()
const batches: CreateEmailOptions[][] = []
for await (const line of createInterface({ input: createReadStream(bodies) })) batches.push(asOptions(line))
const resend = new Resend('re_bench', { baseUrl: providerUrl })

let begun = 0
const outcome = await measured(async () => {
  const submitted = await Promise.all(Array.from({ length: concurrency }, postUntilDone))
  return submitted.reduce((sum, count) => sum + count)
})
tellBench(outcome)

async function postUntilDone(): Promise<number> {
  let submitted = 0
  while (begun * 100 < mails) {
    const number = begun
    begun += 1
    const options = { idempotencyKey: `ceiling/${number}`, batchValidation: 'permissive' } as const
    const { data, error } = await resend.batch.send(batches[number % batches.length] ?? [], options)
    if (error) throw new Error(error.message)
    submitted += data.data.length
  }
  return submitted
}

function asOptions(line: string): CreateEmailOptions[] {
  const emails = JSON.parse(line) as (CreateEmailOptions & { reply_to?: string })[]
  return emails.map(({ reply_to, ...email }) => ({
    ...email,
    ...(reply_to === undefined ? {} : { replyTo: reply_to }),
  }))
}
