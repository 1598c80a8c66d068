import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import mjml2html from 'mjml'
import type { Offer } from './core/content.ts'
import { type DigestView, digestView } from './core/digest-view.ts'
import type { Letterhead } from './core/email.ts'
import { BadInput } from './core/errors.ts'
import { compileTemplate } from './core/mail-merge.ts'
import { type NoticeView, noticeView } from './core/notice.ts'
import { checkElements, checkNothingLost, checkVariables } from './template-check.ts'

/** The Handlebars sources of one mail. */
export type MailTemplate = { html: string; text: string }

export type Templates = { digest: MailTemplate; notice: MailTemplate }

const OWN_FOLDER = fileURLToPath(new URL('../templates', import.meta.url))

/**
 * Reads and compiles the mail templates once, at start: `NAME.mjml` (may include others of its folder) and `NAME.txt.hbs`.
 * Throws `BadInput` with the file and line of anything that would not render: no data ever reaches MJML.
 */
export async function loadTemplates(folder = OWN_FOLDER): Promise<Templates> {
  return {
    digest: await loadMail(folder, 'digest', sampleDigest()),
    notice: await loadMail(folder, 'notice', sampleNotice()),
  }
}

async function loadMail(folder: string, name: string, sample: object): Promise<MailTemplate> {
  const [mjml, txt] = [join(folder, `${name}.mjml`), join(folder, `${name}.txt.hbs`)]
  const [source, text] = await Promise.all([read(mjml), read(txt)])
  checkElements(source, mjml)
  checkVariables(source, mjml, sample)
  checkVariables(text, txt, sample)
  const html = tidy(await compileMjml(source, mjml))
  checkNothingLost(source, html, mjml)
  tryOut(() => compileTemplate(html, 'html')(sample), mjml)
  tryOut(() => compileTemplate(text, 'text')(sample), txt)
  return { html, text }
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: Error) => {
    throw new BadInput(`cannot read the template ${file}: ${error.message}`)
  })
}

/** MJML confines includes to the template's own folder; one that it denies or misses leaves only a comment. */
async function compileMjml(source: string, file: string): Promise<string> {
  // Without `fonts: {}` a font of that name in a template would be fetched from Google by every reader.
  const options = {
    validationLevel: 'strict',
    fonts: {},
    filePath: file,
    ignoreIncludes: false,
    keepComments: false,
  } as const
  const { html } = await mjml2html(source, options).catch((error: Error & { errors?: MjmlError[] }) => {
    throw new BadInput(
      error.errors?.map((one) => describe(one, file)).join('\n') ?? `${file}: ${error.message}`,
    )
  })
  if (html.includes('mj-include denied'))
    throw new BadInput(`${file}: an mj-include names a file that is missing or outside ${file}'s folder`)
  return html
}

type MjmlError = { line: number; message: string; tagName: string; formattedMessage: string }

function describe({ line, message, tagName, formattedMessage }: MjmlError, file: string): string {
  const included = /^Line \d+ of (.+), included at line/.exec(formattedMessage)?.[1]
  return `${included ?? file}:${line}: <${tagName}> ${message}`
}

/** Indentation is a quarter of the bytes; and spam filters count the preheader's white text as hidden. */
const tidy = (html: string): string => html.replace(/^\s+/gm, '').replace('color:#ffffff;', '')

/** The checks have passed; this is for what only the compiled template shows, such as blocks that MJML tore apart. */
function tryOut(render: () => string, file: string): void {
  try {
    render()
  } catch (error) {
    throw new BadInput(`${file}: does not render: ${(error as Error).message}`)
  }
}

function sampleLetterhead(): Letterhead {
  return {
    from: 'Harbor Groups <groups@sample.test>',
    discreetFrom: 'Weekly update <groups@sample.test>',
    replyTo: 'hello@sample.test',
    postalAddress: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    publicUrl: 'https://groups.sample.test',
    practice: 'Harbor Groups',
    crisisNote: 'If you are in crisis, call or text 988 in the US.',
    unsubscribeMailto: null,
    linkSecretId: 'sample',
  }
}

function sampleNotice(): NoticeView {
  const url = 'https://sample.test/c'
  const facts = {
    id: 'sample',
    kind: 'already',
    to: 'ada@sample.test',
    name: 'Ada',
    url,
    unsubscribeUrl: url,
  } as const
  return noticeView(sampleLetterhead(), facts)
}

/** One session with all that a session can have, for one reader. */
function sampleDigest(): DigestView {
  const letterhead = sampleLetterhead()
  const offer: Offer = {
    id: 1,
    seq: 1,
    addedSeq: 1,
    news: 'new',
    topicId: 1,
    topic: 'Sample topic',
    group: 'Sample group',
    kind: 'skills',
    therapist: 'Sam Sample',
    startsAt: '2026-12-02T00:00:00.000Z',
    lastStartsAt: null,
    durationMinutes: 60,
    timeZone: 'America/New_York',
    repeats: 'weekly',
    seatsLeft: 1,
    bookingUrl: 'https://groups.sample.test/book/1',
  }
  const reader = {
    timeZone: 'Europe/London',
    locale: 'en',
    discreet: false,
    shown: [{ id: offer.id, news: offer.news }],
    more: 1,
  }
  const page = digestView(letterhead, new Map([[offer.id, offer]]), reader)
  return {
    ...page,
    name: 'Ada',
    unsubscribeUrl: 'https://sample.test/u',
    preferencesUrl: 'https://sample.test/p',
  }
}
