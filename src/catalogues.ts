import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IntlMessageFormat } from 'intl-messageformat'
import { BadInput } from './core/errors.ts'
import { suggestion } from './core/fields.ts'
import { type Catalogue, type Catalogues, HTML_TAGS, type WordKey } from './core/words.ts'

const OWN_FOLDER = fileURLToPath(new URL('../templates/words', import.meta.url))

/**
 * Reads the catalogues, `words/LANGUAGE.json`: ours, and over them those of `override`, which may also bring new ones.
 * English says which messages there are and what each may name. Throws `BadInput` with the file, the message and what is
 * wrong: one that is missing, unknown or not ICU MessageFormat, or names something that English does not.
 */
export async function loadCatalogues(override?: string): Promise<Catalogues> {
  const own = await readFolder(OWN_FOLDER)
  const english = own.get('en')?.words ?? {}
  const over =
    override === undefined ? new Map() : await readFolder(join(override, 'words'), { optional: true })
  const catalogues: Record<string, Catalogue> = {}
  for (const language of new Set([...own.keys(), ...over.keys()])) {
    const { file, words } = over.get(language) ?? own.get(language) ?? NOTHING
    checkCatalogue(words, english, file)
    catalogues[language] = words as Catalogue
  }
  return catalogues as Catalogues
}

/** What each message names between braces: `{ "digest.lead": ["zone"], … }`. */
export function argumentsOf(catalogue: Catalogue): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(catalogue).map(([key, text]) => [
      key,
      [...namedIn(new IntlMessageFormat(text, 'en').getAst()).names],
    ]),
  )
}

type Words = Record<string, unknown>
type Found = { file: string; words: Words }
const NOTHING: Found = { file: '', words: {} }

async function readFolder(folder: string, { optional = false } = {}): Promise<Map<string, Found>> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (optional && error.code === 'ENOENT') return []
    throw new BadInput(`cannot read the folder ${folder}: ${error.message}`)
  })
  const files = names.filter((name) => name.endsWith('.json')).map((name) => join(folder, name))
  const entries = files.map(
    async (file) => [languageOf(file), { file, words: await readWords(file) }] as const,
  )
  return new Map(await Promise.all(entries))
}

function languageOf(file: string): string {
  const language = basename(file, '.json')
  if (!/^[a-z]{2,3}$/.test(language))
    throw new BadInput(`${file}: is not named for a language; for example es.json`)
  return language
}

async function readWords(file: string): Promise<Words> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Words
  } catch (error) {
    throw new BadInput(`${file}: ${(error as Error).message}`)
  }
}

function checkCatalogue(words: Words, english: Words, file: string): void {
  for (const key of Object.keys(english))
    if (!Object.hasOwn(words, key))
      throw new BadInput(`${file}: the message "${key}" is missing; English says: ${String(english[key])}`)
  for (const [key, text] of Object.entries(words)) {
    if (!Object.hasOwn(english, key))
      throw new BadInput(`${file}: there is no message "${key}"${suggestion(key, Object.keys(english))}`)
    const complain = (what: string) => new BadInput(`${file}: "${key}" ${what}`)
    checkMessage(text, String(english[key as WordKey]), complain)
    if (key === 'mail.discreet.sender' && /[<>@,;:]/.test(String(text)))
      throw complain('is a sender’s name and may not have one of < > @ , ; : in it')
  }
}

function checkMessage(text: unknown, english: string, complain: (what: string) => BadInput): void {
  if (typeof text !== 'string' || text.trim() === '') throw complain('is not a text')
  // These would end an attribute or begin a tag of a page, for a message is trusted to be printed as it is.
  if (/["&]/.test(text)) throw complain('has a straight quotation mark or an ampersand; write “ ” or a word')
  const said = namedIn(parse(text, complain))
  const meant = namedIn(parse(english, complain))
  const strange = [...said.names].filter((name) => !meant.names.has(name))
  if (strange.length > 0)
    throw complain(
      `names {${strange[0]}}, which nobody fills in; there is ${[...meant.names].join(', ') || 'nothing'}`,
    )
  const lost = [...meant.names].filter((name) => !said.names.has(name))
  if (lost.length > 0) throw complain(`leaves out {${lost[0]}}`)
  const tag = [...said.tags].find((name) => !HTML_TAGS.includes(name) || !meant.tags.has(name))
  if (tag !== undefined) throw complain(`has <${tag}>, which English has not`)
}

function parse(text: string, complain: (what: string) => BadInput): Ast {
  try {
    return new IntlMessageFormat(text, 'en').getAst()
  } catch (error) {
    throw complain(`is not ICU MessageFormat: ${(error as Error).message}`)
  }
}

type Ast = ReturnType<IntlMessageFormat['getAst']>

/** Plain text in a parsed message, as the parser numbers it. */
const LITERAL = 0

function namedIn(ast: Ast, found = { names: new Set<string>(), tags: new Set<string>() }) {
  for (const element of ast) {
    const type: number = element.type
    if ('children' in element) found.tags.add(element.value)
    else if (type !== LITERAL && 'value' in element) found.names.add(element.value)
    if ('children' in element) namedIn(element.children, found)
    if ('options' in element)
      for (const option of Object.values(element.options)) namedIn(option.value, found)
  }
  return found
}
