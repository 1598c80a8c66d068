import { compileTemplate } from '../core/mail/mail-merge.ts'
import type { Translator } from '../core/words/words.ts'
import { checkTemplate, namesIn } from './check.ts'
import { ownSource, type ReadSource } from './source.ts'

const PAGES = [
  'change-address',
  'confirm',
  'confirmed',
  'damaged',
  'data',
  'expect',
  'expired',
  'forget',
  'forgotten',
  'fresh-address',
  'fresh-data',
  'group',
  'home',
  'layout',
  'message',
  'no-preferences',
  'not-me',
  'preferences',
  'refused',
  'replaced-link',
  'subscribed',
  'times',
  'undo-address',
  'unsubscribe',
  'unsubscribed',
] as const

const FILES = ['style.css', 'copy.js', 'join.js', 'zone.js'] as const

/** A function that renders each page, and the files that pages load. */
export type Pages = Record<(typeof PAGES)[number], (data: object, translator: Translator) => string>
export type PageFiles = Record<(typeof FILES)[number], string>

/**
 * Reads and compiles the pages, `pages/NAME.hbs`. A page that overrides ours may use the same variables as ours.
 * Throws `BadInput` with file and line.
 */
export async function loadPages(read: ReadSource, messages: Readonly<Record<string, readonly string[]>>) {
  const pages = await Promise.all(
    PAGES.map(async (name) => {
      const source = await read(`pages/${name}.hbs`)
      checkTemplate(source, { names: namesIn(await ownSource(`pages/${name}.hbs`)), messages })
      return [name, compileTemplate<object>(source.text, 'html')] as const
    }),
  )
  const files = await Promise.all(
    FILES.map(async (name) => [name, (await read(`pages/${name}`)).text] as const),
  )
  return { pages: Object.fromEntries(pages) as Pages, files: Object.fromEntries(files) as PageFiles }
}
