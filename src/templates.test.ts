import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { BadInput } from './core/errors.ts'
import { loadTemplates } from './templates.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'templates-'))
  await cp(new URL('../templates', import.meta.url), folder, { recursive: true })
})
afterEach(() => rm(folder, { recursive: true }))

/** Changes a template, and answers how loading then fails. */
async function breaking(file: string, before: string, after: string): Promise<string> {
  const path = join(folder, file)
  const source = await readFile(path, 'utf8')
  expect(source).toContain(before)
  await writeFile(
    path,
    source.replace(before, () => after),
  )
  const error = await loadTemplates(folder).then(
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

test('our own templates load, the same each time, wherever they lie', async () => {
  const own = await loadTemplates()
  expect(await loadTemplates(folder)).toEqual(own)
  expect(own.digest.html).toMatch(/^<!doctype html>/i)
  expect(own.digest.html).not.toMatch(/<mj-|googleapis|^\s/m)
  expect(own.digest.html).toContain('<!--[if mso | IE]>')
})

test.each([
  ['an attribute that MJML does not have', '<mj-section padding="28px', '<mj-section pading="28px', 'pading'],
  [
    'an element that MJML does not have',
    '<mj-raw>{{#if more}}',
    '<mj-roar /><mj-raw>{{#if more}}',
    'mj-roar',
  ],
  ['a colour that is none', 'background-color="#fffefb"', 'background-color="paper-ish"', 'background-color'],
  ['an element closed as another', '<h1 style', '</mj-column><h1 style', 'closes nothing; <mj-text>'],
  ['a variable that does not exist', '{{heading}}', '{{headline}}', 'no variable "headline" here; there are'],
  ['a variable of the wrong place', '{{therapist}}', '{{practice}}', 'no variable "practice" here'],
  [
    'a condition on what does not exist',
    '{{#if whenForGroup}}',
    '{{#if when4Group}}',
    'no variable "when4Group"',
  ],
  ['a helper that does not exist', '{{when}}', '{{upper when}}', 'takes no arguments'],
  ['a block that does not exist', '{{#each sessions}}', '{{#list sessions}}', "doesn't match each"],
  ['a list that is none', '{{#each topics}}', '{{#each practice}}', 'needs a list'],
  ['unescaped printing', '{{practice}}', '{{{practice}}}', 'triple braces'],
  ['a partial', '{{practice}}', '{{> practice}}', 'not something our templates do'],
  ['an unclosed tag', '{{when}}', '{{when}', 'Parse error'],
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

test('a tag that MJML would drop without a word is refused', async () => {
  const line = await lineOf('digest.mjml', '<mj-raw>{{#if more}}</mj-raw>')
  const message = await breaking('digest.mjml', '<mj-raw>{{#if more}}</mj-raw>', '{{#if more}}')
  expect(message).toContain(`digest.mjml:${line}: {{#if more}} stands between components`)
})

test('a fault in the shared looks names that file and line', async () => {
  const line = await lineOf('look.mjml', '<mj-text font-size')
  expect(await breaking('look.mjml', '<mj-text font-size', '<mj-text font-sise')).toContain(
    `look.mjml:${line}: <mj-text>`,
  )
})

test.each(['./gone.mjml', '../secret.mjml', '/etc/hostname'])('including %s is refused', async (path) => {
  expect(await breaking('digest.mjml', './look.mjml', path)).toContain('missing or outside')
})

test('an unknown variable in the text part is refused with its line', async () => {
  const line = await lineOf('digest.txt.hbs', '{{when}}')
  expect(await breaking('digest.txt.hbs', '{{when}}', '{{wen}}')).toContain(
    `digest.txt.hbs:${line}: there is no variable "wen"`,
  )
})

test('a missing file is named', async () => {
  await rm(join(folder, 'digest.txt.hbs'))
  await expect(loadTemplates(folder)).rejects.toThrow(/cannot read the template .*digest\.txt\.hbs/)
})
