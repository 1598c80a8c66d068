import { BadInput } from '../core/errors.ts'
import { type DigestView, digestPage } from '../core/mail/digest-view.ts'
import type { Letterhead } from '../core/mail/letterhead.ts'
import { compileTemplate } from '../core/mail/mail-merge.ts'
import { type NoticeView, noticeView } from '../core/mail/notice.ts'
import { DEFAULT_BRAND_COLOR, type Palette, paletteFrom } from '../core/mail/palette.ts'
import type { Offer } from '../core/sessions/offers.ts'
import { type Catalogs, type Translator, translatorFor } from '../core/words/words.ts'
import { argumentsOf, loadCatalogs } from './catalogs.ts'
import { checkElements, checkNothingLost, checkTemplate, type Known } from './check.ts'
import { type Expect, loadExpect } from './expect.ts'
import { compileMjml } from './mjml.ts'
import type { OperatorKey } from './operator.ts'
import { loadPages, type PageFiles, type Pages } from './pages.ts'
import { checkOverrides, foldersOf, type Source, sourceReader } from './source.ts'

/** The Handlebars sources of one kind of email. */
export type MailTemplate = { html: string; text: string }

/** Everything that readers see, with the words in each language. */
export type Templates = {
  digest: MailTemplate & { words: Catalogs; layout: 'days' }
  notice: MailTemplate
  expect: Expect
  pages: Pages
  files: PageFiles
  words: Catalogs
  /** For emails to operators. */
  operatorWords: Catalogs<OperatorKey>
}

/** A folder whose files override ours, and the colors; `compile` turns MJML into HTML. */
export type Looks = { folder?: string | undefined; palette?: Palette; compile?: typeof compileMjml }

/**
 * Reads, checks, and compiles all templates, once at start: `NAME.mjml` (may include other files of its folder),
 * `NAME.txt.hbs`, and the pages. Files in `folder` replace ours. Throws `BadInput` with the file and line of anything that
 * would not render. MJML never sees data: it compiles the Handlebars tags as text.
 */
export async function loadTemplates({
  folder,
  palette,
  compile = compileMjml,
}: Looks = {}): Promise<Templates> {
  if (folder !== undefined) await checkOverrides(folder)
  const words = await loadCatalogs(folder)
  const translator = translatorFor(words, 'en')
  const messages = argumentsOf(words.en)
  const read = sourceReader(folder, palette ?? paletteFrom(DEFAULT_BRAND_COLOR))
  const mails = await Promise.all(
    [
      { name: 'digest', sample: sampleDigest(translator) },
      { name: 'notice', sample: sampleNotice(translator) },
    ].map(async ({ name, sample }) => ({
      mjml: await read(`${name}.mjml`),
      txt: await read(`${name}.txt.hbs`),
      known: { sample, messages },
    })),
  )
  for (const mail of mails) checkSources(mail)
  const expect = await loadExpect(read, foldersOf(folder), words, messages)
  const { pages, files } = await loadPages(read, messages)
  const compiled = await compileAll(
    mails.map(({ mjml }) => mjml),
    compile,
  )
  const [digest, notice] = mails.map((mail, index) => mailTemplate(mail, compiled[index] ?? '', translator))
  if (!digest || !notice) throw new Error('an email has no template')
  return {
    digest: {
      ...digest,
      layout: 'days',
      words: onlyOf(words, /^(locale|language)$|^(digest|mail|session|crisis|zone)\./),
    },
    notice,
    expect,
    pages,
    files,
    words,
    operatorWords: await loadCatalogs<OperatorKey>(folder, 'operator/words'),
  }
}

/** The messages of a digest. They are frozen with each batch, so that changed words do not change a retry. */
function onlyOf(words: Catalogs, keys: RegExp): Catalogs {
  const pick = (catalog: object) =>
    Object.fromEntries(Object.entries(catalog).filter(([key]) => keys.test(key)))
  return Object.fromEntries(Object.entries(words).map(([language, all]) => [language, pick(all)])) as Catalogs
}

type MailSources = { mjml: Source; txt: Source; known: Known & { sample: object } }

function checkSources({ mjml, txt, known }: MailSources): void {
  checkElements(mjml)
  checkTemplate(mjml, known)
  checkTemplate(txt, known)
}

/** HTML by MJML source. Compiling takes a second, and tests open the program many times. */
const compiledBefore = new Map<string, string>()

async function compileAll(sources: readonly Source[], compile: typeof compileMjml): Promise<string[]> {
  const fresh = sources.filter(({ text }) => !compiledBefore.has(text))
  const results = fresh.length === 0 ? [] : await compile(fresh.map(({ text }) => text))
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

function mailTemplate(
  { mjml, txt, known }: MailSources,
  compiled: string,
  translator: Translator,
): MailTemplate {
  const html = tidy(compiled)
  checkNothingLost(mjml, html)
  checkRenders(mjml, () => compileTemplate(html, 'html')(known.sample, translator))
  checkRenders(txt, () => compileTemplate(txt.text, 'text')(known.sample, translator))
  return { html, text: txt.text }
}

/** Finds what reading the source cannot: a block that MJML has torn apart, or text where a message needs a number. */
function checkRenders({ file }: Source, render: () => string): void {
  try {
    render()
  } catch (error) {
    throw new BadInput(`${file}: does not render: ${(error as Error).message}`)
  }
}

/** Indentation is a quarter of the bytes. Spam filters treat the white text of the preheader as hidden text. */
const tidy = (html: string): string => html.replace(/^\s+/gm, '').replace('color:#ffffff;', '')

function sampleLetterhead(): Letterhead {
  return {
    from: 'Harbor Groups <groups@sample.test>',
    discreetName: null,
    replyTo: 'hello@sample.test',
    postalAddress: 'Harbor Groups, 12 Quay Street, Portland, ME 04101',
    phone: '(207) 555-0134',
    publicUrl: 'https://groups.sample.test',
    practice: 'Harbor Groups',
    logoUrl: 'https://groups.sample.test/logo.png',
    crisisLine: 'us',
    unsubscribeAddress: null,
    linkSecretId: 'sample',
  }
}

function sampleNotice(translator: Translator): NoticeView {
  const url = 'https://sample.test/c'
  const facts = {
    id: 'sample',
    kind: 'welcome',
    to: 'ada@sample.test',
    name: 'Ada',
    timeZone: 'America/New_York',
    discreet: false,
    url,
    unsubscribeUrl: url,
    unsubscribeAddress: null,
    preferencesUrl: url,
    notMeUrl: url,
    nextDate: 'Mon, Nov 30',
    expect: { language: 'en', parts: [{ heading: 'Sample', text: 'What a sample says.' }] },
  } as const
  return noticeView(sampleLetterhead(), facts, translator)
}

/** A digest with one session in which every variable has a value. */
function sampleDigest(translator: Translator): DigestView {
  const letterhead = sampleLetterhead()
  const offer: Offer = {
    id: 1,
    seq: 1,
    addedSeq: 1,
    news: 'new',
    topicId: 1,
    topic: 'Sample topic',
    topicNames: { es: 'Sample topic' },
    groupId: 1,
    summary: 'A sample of what one sentence says of a group.',
    groupUrl: 'https://sample.test/groups/1',
    language: 'es',
    place: 'Online',
    price: '$40 a session',
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
    translator,
    timeZone: 'Europe/London',
    discreet: false,
    shown: [{ id: offer.id, news: offer.news }],
    more: 1,
    fewTopics: false,
  }
  const page = digestPage(letterhead, new Map([[offer.id, offer]]), readership, { id: '2026-10-19' })
  return {
    ...page,
    name: 'Ada',
    unsubscribeUrl: 'https://sample.test/u',
    preferencesUrl: 'https://sample.test/p',
  }
}
