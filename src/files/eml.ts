import { hash } from 'node:crypto'
import nodemailer from 'nodemailer'
import type { Email } from '../core/mail/digest.ts'

/**
 * An email as a file that email programs open (`.eml`, RFC 5322). Resend builds the real message. This one has the same parts
 * and headers, and the same email and date give the same bytes.
 */
export async function mailFile(email: Email, at: Date): Promise<Buffer> {
  const { from, to, replyTo, subject, html, text, headers } = email
  const print = hash('sha256', subject + html + text).slice(0, 24)
  // Without CRLF line endings, nodemailer silently drops List-Unsubscribe.
  const transport = nodemailer.createTransport({ streamTransport: true, buffer: true, newline: 'windows' })
  const { message } = await transport.sendMail({
    ...{ from, to, subject, html, text, headers },
    ...(replyTo !== undefined && { replyTo }),
    date: at,
    messageId: `<${print}@preview.invalid>`,
    textEncoding: 'quoted-printable',
    ...{ baseBoundary: print },
  })
  return message as Buffer
}
