/** What Resend accepts and refuses in a send request, as pure functions of the parsed body. */

export type WireEmail = {
  from: string
  to: string | string[]
  subject: string
  html?: string
  text?: string
  cc?: string | string[]
  bcc?: string | string[]
  reply_to?: string | string[]
  headers?: Record<string, string>
  tags?: { name: string; value: string }[]
}

export type Refusal = { status: number; name: string; message: string }

export type SendRules = {
  /** The verified domain; if not set, any sender domain is accepted. */
  fromDomain?: string | undefined
  /** A reason to refuse this recipient (bare address, lower case), or null. */
  refuseAddress?: ((address: string) => string | null) | undefined
}

export type Verdict =
  | { kind: 'refused'; refusal: Refusal }
  | {
      kind: 'accepted'
      emails: { index: number; email: WireEmail }[]
      errors: { index: number; message: string }[]
    }

type Fields = Record<string, unknown>

/** Judges the body of `POST /emails`: one email, all or nothing. */
export function judgeEmail(body: unknown, rules: SendRules): Verdict {
  if (Array.isArray(body)) return refused(invalid('The request body must be one email, not an array.'))
  const refusal = refuseEmail(body, rules)
  return refusal ? refused(refusal) : accepted([{ index: 0, email: body as WireEmail }])
}

/**
 * Judges the body of `POST /emails/batch`. `mode` is the `x-batch-validation` header: `strict` (the default)
 * answers with the first error and accepts nothing; `permissive` accepts the valid emails and lists the others by
 * their index. An unverified sender domain refuses the whole batch in both modes. That is our guess: it is a problem of
 * the account, not of one email.
 * https://resend.com/docs/dashboard/emails/batch-validation-modes
 */
export function judgeBatch(body: unknown, mode: string, rules: SendRules): Verdict {
  if (mode !== 'strict' && mode !== 'permissive') {
    return refused(invalid('The `x-batch-validation` header must be `strict` or `permissive`.'))
  }
  if (!Array.isArray(body)) return refused(invalid('The request body must be an array of emails.'))
  if (body.length < 1 || body.length > 100) {
    return refused(invalid(`A batch must have between 1 and 100 emails; this one has ${body.length}.`))
  }
  const emails: { index: number; email: WireEmail }[] = []
  const errors: { index: number; message: string }[] = []
  for (const [index, email] of body.entries()) {
    const refusal = refuseBatchOnlyFields(email) ?? refuseEmail(email, rules)
    if (!refusal) emails.push({ index, email })
    else if (mode === 'strict' || refusal.status === 403) return refused(refusal)
    else errors.push({ index, message: refusal.message })
  }
  return accepted(emails, errors)
}

/** The address without a display name, in lower case: `Ada <Ada@sample.test>` → `ada@sample.test`. */
export function bareAddress(mailbox: string): string {
  return (/<([^<>]*)>$/.exec(mailbox)?.[1] ?? mailbox).toLowerCase()
}

/** A field with one value, several, or none, as a list. */
export function listOf<T>(value: T | T[] | null | undefined): T[] {
  return Array.isArray(value) ? value : value == null ? [] : [value]
}

const refused = (refusal: Refusal): Verdict => ({ kind: 'refused', refusal })
const accepted = (
  emails: { index: number; email: WireEmail }[],
  errors: { index: number; message: string }[] = [],
): Verdict => ({ kind: 'accepted', emails, errors })
const invalid = (message: string): Refusal => ({ status: 422, name: 'validation_error', message })
const missing = (field: string): Refusal => ({
  status: 422,
  name: 'missing_required_field',
  message: `Missing \`${field}\` field.`,
})

function refuseBatchOnlyFields(email: unknown): Refusal | null {
  if (!isObject(email)) return null
  if ('attachments' in email) return invalid('The `attachments` field is not supported in a batch.')
  if ('scheduled_at' in email) return invalid('The `scheduled_at` field is not supported in a batch.')
  return null
}

function refuseEmail(email: unknown, rules: SendRules): Refusal | null {
  if (!isObject(email)) return invalid('Each email must be an object.')
  return (
    refuseUnknownFields(email) ??
    refuseSender(email, rules) ??
    refuseRecipients(email, rules) ??
    refuseSubject(email) ??
    refuseContent(email) ??
    refuseHeaders(email) ??
    refuseTags(email) ??
    refuseAttachments(email)
  )
}

// Resend also has `template`. Openseat renders its own emails, so using it would be a mistake and is refused.
const FIELDS = new Set(
  'from to cc bcc reply_to subject html text headers tags attachments scheduled_at topic_id'.split(' '),
)

function refuseUnknownFields(email: Fields): Refusal | null {
  const unknown = Object.keys(email).find((field) => !FIELDS.has(field))
  return unknown === undefined ? null : invalid(`Unrecognized field \`${unknown}\`.`)
}

function refuseSender(email: Fields, { fromDomain }: SendRules): Refusal | null {
  if (email.from === undefined) return missing('from')
  if (!isMailbox(email.from)) return badMailbox('from')
  const domain = domainOf(email.from)
  if (fromDomain === undefined || domain === fromDomain.toLowerCase()) return null
  const message = `The \`${domain}\` domain is not verified. Please, add and verify your domain.`
  return { status: 403, name: 'validation_error', message }
}

// Resend refuses these domains, since email to them hurts a sender's reputation. It accepts `.test`.
const EXAMPLE_DOMAIN = /(^|\.)(example|test)\.(com|net|org)$/

function refuseRecipients(email: Fields, { refuseAddress }: SendRules): Refusal | null {
  if (listOf(email.to).length === 0) return missing('to')
  for (const field of ['to', 'cc', 'bcc', 'reply_to']) {
    const mailboxes = listOf(email[field])
    if (mailboxes.length > 50) return invalid(`Invalid \`${field}\` field. At most 50 addresses are allowed.`)
    for (const mailbox of mailboxes) {
      if (!isMailbox(mailbox)) return badMailbox(field)
      if (field === 'reply_to') continue
      if (EXAMPLE_DOMAIN.test(domainOf(mailbox))) {
        const advice = 'Please use our testing email address instead of domains like `example.com`.'
        return invalid(`Invalid \`${field}\` field. ${advice}`)
      }
      const reason = refuseAddress?.(bareAddress(mailbox))
      if (reason) return invalid(reason)
    }
  }
  return null
}

function refuseSubject({ subject }: Fields): Refusal | null {
  if (subject === undefined || subject === '') return missing('subject')
  return isOneLine(subject) ? null : invalid('Invalid `subject` field. It must be one line of text.')
}

function refuseContent({ html, text }: Fields): Refusal | null {
  for (const [field, value] of Object.entries({ html, text })) {
    if (value !== undefined && typeof value !== 'string') return invalid(`Invalid \`${field}\` field.`)
  }
  return html || text ? null : missing('html` or `text')
}

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

function refuseHeaders({ headers }: Fields): Refusal | null {
  if (headers === undefined) return null
  if (!isObject(headers)) return invalid('Invalid `headers` field. It must be an object.')
  for (const [name, value] of Object.entries(headers)) {
    if (!HEADER_NAME.test(name)) return invalid('Invalid `headers` field. A header name is not valid.')
    if (!isOneLine(value)) return invalid(`Invalid \`headers\` field. \`${name}\` must be one line of text.`)
  }
  return null
}

const TAG_PART = /^[A-Za-z0-9_-]{1,256}$/

function refuseTags({ tags }: Fields): Refusal | null {
  if (tags === undefined) return null
  if (!Array.isArray(tags)) return invalid('Invalid `tags` field. It must be an array.')
  const good = tags.every((tag) => isObject(tag) && isTagPart(tag.name) && isTagPart(tag.value))
  return good ? null : invalid('Tags should only contain ASCII letters, numbers, underscores, or dashes.')
}

function refuseAttachments({ attachments }: Fields): Refusal | null {
  if (attachments === undefined) return null
  const good =
    Array.isArray(attachments) && attachments.every((file) => isObject(file) && (file.content || file.path))
  if (good) return null
  return {
    status: 422,
    name: 'invalid_attachment',
    message: 'Attachment must have either a `content` or `path`.',
  }
}

// What SES, behind Resend, accepts: ASCII only; no dot at the start or end of the local part, and no two in a row.
const ADDRESS =
  /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z0-9-]{2,63}$/
const MAILBOX = /^(?:[^<>\r\n]*<([^<>\s]+)>|([^<>\s]+))$/

function isMailbox(value: unknown): value is string {
  if (typeof value !== 'string') return false
  const parts = MAILBOX.exec(value)
  const address = (parts?.[1] ?? parts?.[2] ?? '').toLowerCase()
  return address.length <= 254 && address.indexOf('@') <= 64 && ADDRESS.test(address)
}

function badMailbox(field: string): Refusal {
  const format =
    'The email address needs to follow the `email@example.com` or `Name <email@example.com>` format.'
  return invalid(`Invalid \`${field}\` field. ${format}`)
}

const domainOf = (mailbox: string): string => bareAddress(mailbox).split('@')[1] ?? ''
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isOneLine = (value: unknown): boolean => typeof value === 'string' && !/[\r\n]/.test(value)
const isTagPart = (value: unknown): boolean => typeof value === 'string' && TAG_PART.test(value)
