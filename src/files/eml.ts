import { hash } from 'node:crypto'
import nodemailer from 'nodemailer'
import type { Email } from '../core/mail/digest.ts'

/**
 * A mail as a file that mail programs open (`.eml`, RFC 5322). Resend builds the real message; this one has the same parts
 * and headers, and is the same for the same mail and date.
 */
export async function mailFile(email: Email, at: Date): Promise<Buffer> {
  const { from, to, replyTo, subject, html, text, headers } = email
  const print = hash('sha256', subject + html + text).slice(0, 24)
  // Without Windows line ends, nodemailer drops List-Unsubscribe in silence.
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
