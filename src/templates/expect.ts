import { readdir } from 'node:fs/promises'
import { BadInput } from '../core/errors.ts'
import { compileTemplate } from '../core/mail/mail-merge.ts'
import { type Expectations, type ExpectFacts, partsIn } from '../core/words/expect.ts'
import type { Catalogs, Translator } from '../core/words/words.ts'
import { checkTemplate } from './check.ts'
import type { ReadSource } from './source.ts'

/** Writes what readers can expect of a group; null if the practice shows nothing. */
export type Expect = (facts: ExpectFacts, translator: Translator) => Expectations | null

const SAMPLE: ExpectFacts = {
  practice: 'Harbor Groups',
  replyTo: 'hello@sample.test',
  phone: '+1 207-555-0143',
}

const IN_A_LANGUAGE = /^expect\.([a-z]{2,3})\.hbs$/

/**
 * Reads, checks, and compiles `expect.LANGUAGE.hbs`. A language with a catalog and without such a file has the English text.
 * Throws `BadInput` with the file and line of what would not render, and the file of a language that has no catalog.
 */
export async function loadExpect(
  read: ReadSource,
  folders: readonly string[],
  words: Catalogs,
  messages: Readonly<Record<string, readonly string[]>>,
): Promise<Expect> {
  const files = (await Promise.all(folders.map((folder) => readdir(folder)))).flat()
  const languages = new Set(files.flatMap((name) => IN_A_LANGUAGE.exec(name)?.[1] ?? []))
  const texts = new Map<string, (facts: ExpectFacts, translator: Translator) => string>()
  for (const language of languages) {
    const source = await read(`expect.${language}.hbs`)
    if (!(language in words))
      throw new BadInput(`${source.file}: there are no words in this language; add words/${language}.json`)
    checkTemplate(source, { sample: SAMPLE, messages })
    texts.set(language, compileTemplate<ExpectFacts>(source.text, 'text'))
  }
  return (facts, translator) => {
    const language = texts.has(translator.language) ? translator.language : 'en'
    const parts = partsIn(texts.get(language)?.(facts, translator) ?? '')
    return parts.length === 0 ? null : { language, parts }
  }
}
