import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { IntlMessageFormat } from 'intl-messageformat'
import { BadInput } from '../core/errors.ts'
import { suggestion } from '../core/intake/fields.ts'
import { type Catalog, type Catalogs, HTML_TAGS, LINK_TAGS, type MessageKey } from '../core/words/words.ts'

const OWN_FOLDER = fileURLToPath(new URL('../../templates', import.meta.url))

/**
 * Reads the catalogs of readers, `words/LANGUAGE.json`, or those of another `folder`. A catalog in `override` replaces ours of the same language, or adds a
 * language. The English catalog defines which messages exist and which arguments each has. Throws `BadInput` with the file
 * and the message if one is missing, unknown, not valid ICU MessageFormat, or has other arguments or tags than English.
 */
export async function loadCatalogs<Key extends string = MessageKey>(
  override?: string,
  folder = 'words',
): Promise<Catalogs<Key>> {
  const own = await readFolder(join(OWN_FOLDER, folder))
  const english = own.get('en')?.words ?? {}
  const over =
    override === undefined ? new Map() : await readFolder(join(override, folder), { optional: true })
  const catalogs: Record<string, Catalog<Key>> = {}
  for (const language of new Set([...own.keys(), ...over.keys()])) {
    const { file, words } = over.get(language) ?? own.get(language) ?? NOTHING
    checkCatalog(words, english, file)
    catalogs[language] = words as Catalog<Key>
  }
  return catalogs as Catalogs<Key>
}

/** The arguments of each message: `{ "digest.lead": ["zone"], … }`. */
export function argumentsOf(catalog: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(catalog).map(([key, text]) => [
      key,
      [...argumentsIn(new IntlMessageFormat(text, 'en').getAst()).names],
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
    throw new BadInput(`${file}: the file name is not a language code; for example es.json`)
  return language
}

async function readWords(file: string): Promise<Words> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Words
  } catch (error) {
    throw new BadInput(`${file}: ${(error as Error).message}`)
  }
}

function checkCatalog(words: Words, english: Words, file: string): void {
  for (const key of Object.keys(english))
    if (!Object.hasOwn(words, key))
      throw new BadInput(`${file}: the message "${key}" is missing; English says: ${String(english[key])}`)
  for (const [key, text] of Object.entries(words)) {
    if (!Object.hasOwn(english, key))
      throw new BadInput(`${file}: there is no message "${key}"${suggestion(key, Object.keys(english))}`)
    const refusal = (problem: string) => new BadInput(`${file}: "${key}" ${problem}`)
    checkMessage(text, String(english[key]), refusal)
    if (key === 'mail.discreet.sender' && /[<>@,;:]/.test(String(text)))
      throw refusal('is a sender name and must not contain any of < > @ , ; :')
  }
}

function checkMessage(text: unknown, english: string, refusal: Refusal): void {
  if (typeof text !== 'string' || text.trim() === '') throw refusal('is empty or not text')
  // Messages are printed without escaping, so these would end an attribute or start an entity.
  if (/["&]/.test(text))
    throw refusal('contains a straight quotation mark or an ampersand; use “ ” or a word instead')
  const found = argumentsIn(parse(text, refusal))
  const expected = text === english ? found : argumentsIn(parse(english, refusal))
  const unknown = [...found.names].find((name) => !expected.names.has(name))
  if (unknown !== undefined)
    throw refusal(
      `uses {${unknown}}, which has no value here; available: ${[...expected.names].join(', ') || 'none'}`,
    )
  const missing = [...expected.names].find((name) => !found.names.has(name))
  if (missing !== undefined) throw refusal(`leaves out {${missing}}`)
  const tag = [...found.tags].find((name) => !TAGS.includes(name) || !expected.tags.has(name))
  if (tag !== undefined) throw refusal(`contains <${tag}>, which the English message does not`)
}

const TAGS = [...HTML_TAGS, ...LINK_TAGS]

type Refusal = (problem: string) => BadInput

function parse(text: string, refusal: Refusal): Ast {
  try {
    return new IntlMessageFormat(text, 'en').getAst()
  } catch (error) {
    throw refusal(`is not valid ICU MessageFormat: ${(error as Error).message}`)
  }
}

type Ast = ReturnType<IntlMessageFormat['getAst']>

/** The parser's type number of plain text. */
const LITERAL = 0

function argumentsIn(ast: Ast, found = { names: new Set<string>(), tags: new Set<string>() }) {
  for (const element of ast) {
    const type: number = element.type
    if ('children' in element) found.tags.add(element.value)
    else if (type !== LITERAL && 'value' in element) found.names.add(element.value)
    if ('children' in element) argumentsIn(element.children, found)
    if ('options' in element)
      for (const option of Object.values(element.options)) argumentsIn(option.value, found)
  }
  return found
}
