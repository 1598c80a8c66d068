import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Preview, ReaderMail } from '../actions/editions/preview.ts'
import type { PastPreview } from '../actions/editions/preview-past.ts'
import { BadInput } from '../core/errors.ts'
import type { Email } from '../core/mail/digest.ts'
import { mailFile } from '../files/eml.ts'
import { writePrivately } from '../files/private-file.ts'
import { mailPage, previewPage } from './preview-page.ts'

/** Where one email was written: the email itself, and `page`, which shows it with its sender and subject. */
export type MailFiles = { html: string; text: string; eml: string; page: string }

export type PreviewFiles = {
  /** The email of the requested reader, or of the typical one. */
  asked: MailFiles | null
  readers: { reader: string; madeUp: boolean; subject: string; files: MailFiles }[]
  /** The page with all of them side by side. */
  page: string | null
}

/** What is written of a preview. */
type Written = {
  edition: { id: string; scheduledFor: string }
  mail: { kind: 'mail'; email: Email } | { kind: Exclude<(Preview | PastPreview)['mail']['kind'], 'mail'> }
  readers: readonly ReaderMail[]
}

/** Writes the files of a preview into `folder`, readable only by their owner. Throws `BadInput` if that fails. */
export async function writePreview(preview: Written, folder: string): Promise<PreviewFiles> {
  const { mail, readers, edition } = preview
  if (mail.kind !== 'mail') return { asked: null, readers: [], page: null }
  const at = new Date(edition.scheduledFor)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const asked = await writeMail(folder, 'digest', mail.email, at)
    const written = []
    for (const { reader, madeUp, email } of readers.filter(({ reader }) => reader !== 'typical'))
      written.push({
        reader,
        madeUp,
        subject: email.subject,
        files: await writeMail(folder, reader, email, at),
      })
    if (readers.length === 0) return { asked, readers: [], page: null }
    const page = join(folder, 'preview.html')
    await writePrivately(page, previewPage(edition.id, readers))
    return { asked, readers: written, page }
  } catch (error) {
    throw new BadInput(
      `--out: cannot write to ${folder} (${(error as NodeJS.ErrnoException).code}); name a folder you may write to`,
    )
  }
}

async function writeMail(
  folder: string,
  name: ReaderMail['reader'] | 'digest',
  email: Email,
  at: Date,
): Promise<MailFiles> {
  const files = {
    html: join(folder, `${name}.html`),
    text: join(folder, `${name}.txt`),
    eml: join(folder, `${name}.eml`),
    page: join(folder, `${name}.page.html`),
  }
  await writePrivately(files.html, email.html)
  await writePrivately(files.text, email.text)
  await writePrivately(files.eml, await mailFile(email, at))
  await writePrivately(files.page, mailPage(email))
  return files
}
