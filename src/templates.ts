import { argumentsOf, loadCatalogues } from './catalogues.ts'
import { compileMjml } from './compile-mjml.ts'
import type { Offer } from './core/content.ts'
import { type DigestView, digestView } from './core/digest-view.ts'
import type { Letterhead } from './core/email.ts'
import { BadInput } from './core/errors.ts'
import { compileTemplate } from './core/mail-merge.ts'
import { type NoticeView, noticeView } from './core/notice.ts'
import { DEFAULT_BRAND_COLOR, type Palette, paletteFrom } from './core/palette.ts'
import { type Catalogues, type Voice, voiceFor } from './core/words.ts'
import { loadPages, type PageFiles, type Pages } from './page-templates.ts'
import { checkElements, checkNothingLost, checkVariables, type Known } from './template-check.ts'
import { checkOverrides, type Source, sourceReader } from './template-source.ts'

/** The Handlebars sources of one mail. */
export type MailTemplate = { html: string; text: string }

/** Everything a reader sees, and in which words. */
export type Templates = {
  digest: MailTemplate & { words: Catalogues }
  notice: MailTemplate
  pages: Pages
  files: PageFiles
  words: Catalogues
}

/** Where to look first, and in which colours. */
export type Looks = { folder?: string | undefined; palette?: Palette }

/**
 * Reads and compiles the mail templates once, at start: `NAME.mjml` (may include others of its folder) and `NAME.txt.hbs`.
 * What `folder` has counts instead of ours. Throws `BadInput` with the file and line of anything that would not render: no
 * data ever reaches MJML.
 */
export async function loadTemplates({ folder, palette }: Looks = {}): Promise<Templates> {
  if (folder !== undefined) await checkOverrides(folder)
  const words = await loadCatalogues(folder)
  const voice = voiceFor(words, 'en')
  const messages = argumentsOf(words.en)
  const read = sourceReader(folder, palette ?? paletteFrom(DEFAULT_BRAND_COLOR))
  const mails = await Promise.all(
    [
      { name: 'digest', sample: sampleDigest(voice) },
      { name: 'notice', sample: sampleNotice(voice) },
    ].map(async ({ name, sample }) => ({
      mjml: await read(`${name}.mjml`),
      txt: await read(`${name}.txt.hbs`),
      known: { sample, messages },
    })),
  )
  for (const mail of mails) checkSources(mail)
  const { pages, files } = await loadPages(read, messages)
  const compiled = await compileAll(mails.map(({ mjml }) => mjml))
  const [digest, notice] = mails.map((mail, index) => finish(mail, compiled[index] ?? '', voice))
  if (!digest || !notice) throw new Error('a mail has no template')
  return {
    digest: { ...digest, words: onlyOf(words, /^(locale|language)$|^(digest|mail|session|crisis)\./) },
    notice,
    pages,
    files,
    words,
  }
}

/** What the digest may say; it is frozen with each batch, so that new words make no retry differ from its first attempt. */
function onlyOf(words: Catalogues, keys: RegExp): Catalogues {
  const pick = (catalogue: object) =>
    Object.fromEntries(Object.entries(catalogue).filter(([key]) => keys.test(key)))
  return Object.fromEntries(
    Object.entries(words).map(([language, all]) => [language, pick(all)]),
  ) as Catalogues
}

type MailSources = { mjml: Source; txt: Source; known: Known }

function checkSources({ mjml, txt, known }: MailSources): void {
  checkElements(mjml)
  checkVariables(mjml, known)
  checkVariables(txt, known)
}

/** Kept, as compiling takes a second and tests open the program again and again; the same source has the same HTML. */
const compiledBefore = new Map<string, string>()

async function compileAll(sources: readonly Source[]): Promise<string[]> {
  const fresh = sources.filter(({ text }) => !compiledBefore.has(text))
  const results = fresh.length === 0 ? [] : await compileMjml(fresh.map(({ text }) => text))
  for (const [index, source] of fresh.entries()) {
    const result = results[index] ?? { problems: [] }
    if ('problems' in result)
      throw new BadInput(
        result.problems.map(({ line, message }) => `${source.at(line)}: ${message}`).join('\n'),
      )
    compiledBefore.set(source.text, result.html)
  }
  return sources.map(({ text }) => compiledBefore.get(text) ?? '')
}

function finish({ mjml, txt, known }: MailSources, compiled: string, voice: Voice): MailTemplate {
  const html = tidy(compiled)
  checkNothingLost(mjml, html)
  tryOut(() => compileTemplate(html, 'html')(known.sample, voice), mjml)
  tryOut(() => compileTemplate(txt.text, 'text')(known.sample, voice), txt)
  return { html, text: txt.text }
}

/** Indentation is a quarter of the bytes; and spam filters count the preheader's white text as hidden. */
const tidy = (html: string): string => html.replace(/^\s+/gm, '').replace('color:#ffffff;', '')

/** The checks have passed; this is for what only the compiled template shows, such as blocks that MJML tore apart. */
function tryOut(render: () => string, { file }: Source): void {
  try {
    render()
  } catch (error) {
    throw new BadInput(`${file}: does not render: ${(error as Error).message}`)
  }
}

function sampleLetterhead(): Letterhead {
  return {
    from: 'Harbor Groups <groups@sample.test>',
    discreetName: null,
    replyTo: 'hello@sample.test',
    postalAddress: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    publicUrl: 'https://groups.sample.test',
    practice: 'Harbor Groups',
    logoUrl: 'https://groups.sample.test/logo.png',
    crisisLine: 'us',
    unsubscribeMailto: null,
    linkSecretId: 'sample',
  }
}

function sampleNotice(voice: Voice): NoticeView {
  const url = 'https://sample.test/c'
  const facts = {
    id: 'sample',
    kind: 'welcome',
    to: 'ada@sample.test',
    name: 'Ada',
    discreet: false,
    url,
    unsubscribeUrl: url,
    preferencesUrl: url,
    notMeUrl: url,
    nextDate: 'Mon, Nov 30',
  } as const
  return noticeView(sampleLetterhead(), facts, voice)
}

/** One session with all that a session can have, for one reader. */
function sampleDigest(voice: Voice): DigestView {
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
  const readership = {
    voice,
    timeZone: 'Europe/London',
    discreet: false,
    shown: [{ id: offer.id, news: offer.news }],
    more: 1,
  }
  const page = digestView(letterhead, new Map([[offer.id, offer]]), readership, '2026-10-19')
  return {
    ...page,
    name: 'Ada',
    unsubscribeUrl: 'https://sample.test/u',
    preferencesUrl: 'https://sample.test/p',
  }
}
