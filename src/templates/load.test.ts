import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { compileInTest } from '../../test/mjml.ts'
import { BadInput } from '../core/errors.ts'
import { paletteFrom } from '../core/mail/palette.ts'
import { translatorFor } from '../core/words/words.ts'
import { loadTemplates } from './load.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'templates-'))
  await cp(new URL('../../templates', import.meta.url), folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

/** Changes a template and returns the error of loading it. */
async function breaking(file: string, before: string, after: string): Promise<string> {
  const path = join(folder, file)
  const source = await readFile(path, 'utf8')
  expect(source).toContain(before)
  await writeFile(
    path,
    source.replace(before, () => after),
  )
  const error = await loadTemplates({ folder, compile: compileInTest }).then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(BadInput)
  return (error as BadInput).message.replaceAll(`${folder}/`, '')
}

async function lineOf(file: string, words: string): Promise<number> {
  const lines = (await readFile(join(folder, file), 'utf8')).split('\n')
  return lines.findIndex((line) => line.includes(words)) + 1
}

test('our own templates load, with the same result from any folder', async () => {
  const own = await loadTemplates()
  const {
    pages: _pages,
    expect: _expect,
    ...copied
  } = await loadTemplates({ folder, compile: compileInTest })
  const { pages: _own, expect: _ownExpect, ...ours } = own
  expect(copied).toEqual(ours)
  expect(own.digest.html).toMatch(/^<!doctype html>/i)
  expect(own.digest.html).not.toMatch(/<mj-|googleapis|^\s/m)
  expect(own.digest.html).toContain('<!--[if mso | IE]>')
})

test.each([
  ['an attribute that MJML does not have', '<mj-section padding="16px', '<mj-section pading="16px', 'pading'],
  [
    'an element that MJML does not have',
    '<mj-raw>{{#if more}}',
    '<mj-roar /><mj-raw>{{#if more}}',
    'mj-roar',
  ],
  ['an invalid color', 'background-color="$sheet"', 'background-color="paper-ish"', 'background-color'],
  [
    'a color that the palette lacks',
    'background-color="$sheet"',
    'background-color="$paper"',
    'no color \\$paper',
  ],
  [
    'a message that does not exist',
    "{{t 'digest.last'}}",
    "{{t 'digest.lasst'}}",
    'did you mean "digest.last"',
  ],
  [
    'a message without its argument',
    "{{t 'digest.why' practice=practice}}",
    "{{t 'digest.why'}}",
    'needs practice=',
  ],
  [
    'a message with an argument it does not have',
    "{{t 'digest.last'}}",
    "{{t 'digest.last' zone=zone}}",
    'does not use {zone}',
  ],
  ['a message named by a variable', "{{t 'digest.last'}}", '{{t heading}}', 'needs the key of one message'],
  ['an element closed as another', '<h1 style', '</mj-column><h1 style', 'closes nothing; <mj-text>'],
  ['a variable that does not exist', '{{heading}}', '{{headline}}', 'no variable "headline" here; there are'],
  ['a variable from another scope', '{{rhythm}}', '{{practice}}', 'no variable "practice" here'],
  [
    'a condition on an unknown variable',
    '{{#if whenForGroup}}',
    '{{#if when4Group}}',
    'no variable "when4Group"',
  ],
  ['a helper that does not exist', '{{rhythm}}', '{{upper rhythm}}', 'takes no arguments'],
  ['a block that does not exist', '{{#each sessions}}', '{{#list sessions}}', "doesn't match each"],
  ['each over something that is not a list', '{{#each sections}}', '{{#each practice}}', 'needs a list'],
  ['unescaped printing', '{{heading}}', '{{{heading}}}', 'triple braces'],
  ['a partial', '{{heading}}', '{{> heading}}', 'not supported in templates'],
  ['an unclosed tag', '{{rhythm}}', '{{rhythm}', 'Parse error'],
])('%s is refused with file and line', async (_, before, after, words) => {
  const line = await lineOf('digest.mjml', before)
  const message = await breaking('digest.mjml', before, after)
  expect(message).toMatch(new RegExp(`^digest\\.mjml:${line}: .*(${words})`, 's'))
})

test('a block closed as another is refused with its line', async () => {
  expect(await breaking('digest.txt.hbs', '{{/each}}', '{{/if}}')).toMatch(
    /^digest\.txt\.hbs:\d+: each doesn't match if/,
  )
})

test('a tag that MJML would silently drop is refused', async () => {
  const line = await lineOf('digest.mjml', '<mj-raw>{{#if more}}</mj-raw>')
  const message = await breaking('digest.mjml', '<mj-raw>{{#if more}}</mj-raw>', '{{#if more}}')
  expect(message).toContain(`digest.mjml:${line}: {{#if more}} is between components`)
})

test('an error in the shared look names that file and line', async () => {
  const line = await lineOf('look.mjml', '<mj-text font-size')
  expect(await breaking('look.mjml', '<mj-text font-size', '<mj-text font-sise')).toContain(
    `look.mjml:${line}: <mj-text>`,
  )
})

test.each(['./gone.mjml', '../secret.mjml', '/etc/hostname'])('including %s is refused', async (path) => {
  expect(await breaking('digest.mjml', './look.mjml', path)).toMatch(
    /^digest\.mjml:5: .*(there is no template|must name a file)/,
  )
})

test('an unknown variable in the text part is refused with its line', async () => {
  const line = await lineOf('digest.txt.hbs', '{{rhythm}}')
  expect(await breaking('digest.txt.hbs', '{{rhythm}}', '{{wen}}')).toContain(
    `digest.txt.hbs:${line}: there is no variable "wen"`,
  )
})

test('a file that cannot be read is named', async () => {
  await rm(join(folder, 'digest.txt.hbs'))
  await mkdir(join(folder, 'digest.txt.hbs'))
  await expect(loadTemplates({ folder, compile: compileInTest })).rejects.toThrow(
    /cannot read the template .*digest\.txt\.hbs/,
  )
})

test('a folder with two files replaces only those two', async () => {
  const own = await readFile(join(folder, 'pages/unsubscribed.hbs'), 'utf8')
  const mine = await mkdtemp(join(tmpdir(), 'mine-'))
  await mkdir(join(mine, 'pages'))
  await writeFile(
    join(mine, 'head.mjml'),
    '<mj-section><mj-column><mj-text>Our own head {{practice}}</mj-text></mj-column></mj-section>',
  )
  await writeFile(join(mine, 'pages/unsubscribed.hbs'), `<p>Gone fishing.</p>${own}`)
  const { digest, notice, pages, words } = await loadTemplates({ folder: mine, compile: compileInTest })
  for (const { html } of [digest, notice]) expect(html).toContain('Our own head {{practice}}')
  expect(digest.html).toContain('{{heading}}')
  const page = pages.unsubscribed(
    { practice: 'Harbor', undo: '/undo', inLanguage: '' },
    translatorFor(words, 'en'),
  )
  expect(page).toContain('Gone fishing.')
  await rm(mine, { recursive: true })
})

test('a page that overrides ours may use its variables and no others', async () => {
  const said = await breaking('pages/unsubscribed.hbs', '{{undo}}', '{{undoo}}')
  expect(said).toMatch(
    /^pages\/unsubscribed\.hbs:\d+: there is no variable "undoo" on this page; did you mean "undo"/,
  )
})

test.each([
  ['lacks a message', '"mail.unsubscribe": ', '"mail.unsubscribee": ', '"mail.unsubscribe" is missing'],
  [
    'uses an unknown argument',
    '{counts}.',
    '{place}.',
    'uses {place}, which has no value here; available: counts, zone',
  ],
  [
    'leaves out an argument of English',
    '{n, plural, one {Queda # lugar} other {Quedan # lugares}}',
    'Pocos lugares',
    'leaves out {n}',
  ],
  [
    'is not ICU MessageFormat',
    '{n, plural, one {Queda',
    '{n, plurl, one {Queda',
    'is not valid ICU MessageFormat',
  ],
  ['has a tag of its own', '"Nuevo"', '"<i>Nuevo</i>"', 'contains <i>, which the English message does not'],
  ['could add a recipient', '"Resumen semanal"', '"Resumen, semanal"', 'is a sender name'],
  ['could end an attribute', '"Nuevo"', '"\\"Nuevo\\""', 'straight quotation mark'],
])('a catalog that %s is refused with file and message', async (_, before, after, words) => {
  const said = await breaking('words/es.json', before, after)
  expect(said).toMatch(/^words\/es\.json: /)
  expect(said).toContain(words)
})

test('a new file adds a language', async () => {
  const { es } = (await loadTemplates({ compile: compileInTest })).words
  await writeFile(
    join(folder, 'words/pt.json'),
    JSON.stringify({ ...es, language: 'Português', locale: 'pt-BR' }),
  )
  const { words } = await loadTemplates({ folder, compile: compileInTest })
  expect(translatorFor(words, 'pt-PT')).toMatchObject({ language: 'pt', locale: 'pt-PT' })
})

test('the brand color of a practice replaces ours', async () => {
  const { digest } = await loadTemplates({ palette: paletteFrom('#7a1f5c'), compile: compileInTest })
  expect(digest.html).toContain('#7a1f5c')
  expect(digest.html).not.toContain('#0b5c4a')
})

test('a missing folder is refused', async () => {
  await expect(loadTemplates({ folder: '/nowhere/at-all' })).rejects.toThrow(
    'TEMPLATES_PATH names the folder /nowhere/at-all, which cannot be read',
  )
})

test('a file that replaces nothing is refused, with a suggested name', async () => {
  await writeFile(join(folder, 'digset.mjml'), '')
  await expect(loadTemplates({ folder, compile: compileInTest })).rejects.toThrow(
    'replaces no template; did you mean "digest.mjml"?',
  )
})

const FACTS = { practice: 'Harbor Groups', replyTo: 'hello@sample.test', phone: '' }

async function expectIn(language: string) {
  const { expect: write, words } = await loadTemplates({ folder, compile: compileInTest })
  return write(FACTS, translatorFor(words, language))
}

test('what to expect is a text of headings with what they say, in each language', async () => {
  const path = join(folder, 'expect.en.hbs')
  const words =
    'First\nCome early,\nto {{practice}}.\n\n\nThen\n{{#if phone}}Call.{{else}}Write to {{replyTo}}.{{/if}}\n'
  await writeFile(path, words)
  const parts = [
    { heading: 'First', text: 'Come early, to Harbor Groups.' },
    { heading: 'Then', text: 'Write to hello@sample.test.' },
  ]
  expect(await expectIn('en')).toEqual({ language: 'en', parts })
  expect(await expectIn('es-MX')).toMatchObject({ language: 'es' })
})

test('an empty text of what to expect shows nothing', async () => {
  await writeFile(join(folder, 'expect.es.hbs'), '{{!-- We say this on our own pages. --}}\n')
  expect(await expectIn('es')).toBeNull()
})

test('a language that was added has the English text until it has its own', async () => {
  await cp(join(folder, 'words/es.json'), join(folder, 'words/pt.json'))
  expect(await expectIn('pt')).toMatchObject({ language: 'en' })
  await writeFile(join(folder, 'expect.pt.hbs'), 'A primeira vez\nPode apenas ouvir.\n')
  expect(await expectIn('pt')).toEqual({
    language: 'pt',
    parts: [{ heading: 'A primeira vez', text: 'Pode apenas ouvir.' }],
  })
})

test('mistakes in what to expect are named with file and line', async () => {
  const line = await lineOf('expect.en.hbs', 'Your first time')
  expect(await breaking('expect.en.hbs', 'Your first time', 'Your first time at {{practise}}')).toMatch(
    new RegExp(`^expect\\.en\\.hbs:${line}: there is no variable "practise"`),
  )
})

test('what to expect in a language without a catalog is refused', async () => {
  await writeFile(join(folder, 'expect.pt.hbs'), 'A primeira vez\n')
  await expect(loadTemplates({ folder, compile: compileInTest })).rejects.toThrow('add words/pt.json')
})
