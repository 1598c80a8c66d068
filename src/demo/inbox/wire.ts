import { z } from 'zod'

/** One email as the SDK sends it. */
export type WireEmail = z.infer<typeof Wire>

/** An error of Resend. https://resend.com/docs/api-reference/errors */
export type Refusal = { statusCode: number; name: string; message: string }

export type Sorted = { emails: WireEmail[]; errors: { index: number; message: string }[] }

const MAILBOX = /^(?:[^<>\r\n]*<[^\s<>@]+@[^\s<>@]+>|[^\s<>@]+@[^\s<>@]+)$/
const NOT_A_MAILBOX =
  'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.'
const MOST_IN_A_BATCH = 100

const mailbox = z.string(NOT_A_MAILBOX).regex(MAILBOX, NOT_A_MAILBOX)
const mailboxes = z.union([mailbox, z.array(mailbox).min(1).max(50)], NOT_A_MAILBOX)
const line = (message: string) => z.string(message).regex(/^[^\r\n]+$/, message)

const Wire = z
  .object({
    from: mailbox,
    to: mailboxes,
    cc: mailboxes.optional(),
    bcc: mailboxes.optional(),
    reply_to: mailboxes.optional(),
    subject: line('It needs to be one line of text.'),
    html: z.string().default(''),
    text: z.string().default(''),
    headers: z.record(line('Not a name.'), line('It needs to be one line of text.')).default({}),
    tags: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
  })
  .refine(({ html, text }) => html !== '' || text !== '', { path: ['html'], message: 'Nothing to read.' })

const REQUIRED = ['from', 'to', 'subject'] as const

/** The email in a request, or why Resend would refuse it. */
export function readEmail(given: unknown): { email: WireEmail } | { refusal: Refusal } {
  const read = Wire.safeParse(given)
  if (read.success) return { email: read.data }
  const fields = typeof given === 'object' && given !== null ? given : {}
  const missing = REQUIRED.find((field) => !(field in fields))
  if (missing) return { refusal: refusal(422, 'missing_required_field', `Missing \`${missing}\` field.`) }
  const [issue] = read.error.issues
  const field = String(issue?.path[0] ?? 'body')
  return { refusal: refusal(422, 'validation_error', `Invalid \`${field}\` field. ${issue?.message ?? ''}`) }
}

/**
 * The emails of a batch. `permissive` takes those that are right and lists the others; otherwise the first that is wrong
 * refuses all. https://resend.com/docs/dashboard/emails/batch-validation-modes
 */
export function readBatch(given: unknown, permissive: boolean): Sorted | { refusal: Refusal } {
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_IN_A_BATCH) {
    const message = `The request body must be an array of 1 to ${MOST_IN_A_BATCH} emails.`
    return { refusal: refusal(422, 'validation_error', message) }
  }
  const sorted: Sorted = { emails: [], errors: [] }
  for (const [index, one] of given.entries()) {
    const read = readEmail(one)
    if ('email' in read) sorted.emails.push(read.email)
    else if (permissive) sorted.errors.push({ index, message: read.refusal.message })
    else return read
  }
  return sorted
}

export function refusal(statusCode: number, name: string, message: string): Refusal {
  return { statusCode, name, message }
}
