import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type english from '../../templates/operator/words/en.json'
import { compileTemplate } from '../core/mail/mail-merge.ts'
import type { Palette } from '../core/mail/palette.ts'
import type { Catalogs, Translator } from '../core/words/words.ts'
import { argumentsOf, loadCatalogs } from './catalogs.ts'
import { checkTemplate, namesIn } from './check.ts'
import { sourceReader } from './source.ts'

/** The name of a message of the operators' pages. */
export type OperatorKey = keyof typeof english

type Page = (data: object, translator: Translator<OperatorKey>) => string

/** The operators' pages: what renders each, and the style sheet and scripts by file name. */
export type OperatorTemplates = {
  pages: ReadonlyMap<string, Page>
  files: ReadonlyMap<string, string>
  words: Catalogs<OperatorKey>
}

const FOLDER = fileURLToPath(new URL('../../templates/operator', import.meta.url))

/**
 * Reads and checks everything in `templates/operator`. A folder of overrides may add a language there
 * (`operator/words/es.json`); the pages are ours alone. Throws `BadInput` with file and line.
 */
export async function loadOperatorTemplates({
  folder,
  palette,
}: {
  folder?: string | undefined
  palette: Palette
}): Promise<OperatorTemplates> {
  const words = await loadCatalogs<OperatorKey>(folder, 'operator/words')
  const messages = argumentsOf(words.en)
  const read = sourceReader(undefined, palette)
  const names = (await readdir(FOLDER)).toSorted()
  const sources = (extension: string) =>
    Promise.all(
      names
        .filter((name) => name.endsWith(extension))
        .map(async (name) => ({ name, source: await read(join('operator', name)) })),
    )
  const pages = (await sources('.hbs')).map(({ name, source }): [string, Page] => {
    checkTemplate(source, { names: namesIn(source.text), messages })
    return [basename(name, '.hbs'), compileTemplate<object, OperatorKey>(source.text, 'html')]
  })
  const files = [...(await sources('.css')), ...(await sources('.js'))]
  return {
    pages: new Map(pages),
    files: new Map(files.map(({ name, source }) => [name, source.text])),
    words,
  }
}
