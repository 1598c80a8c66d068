import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { findEnvFile, parseEnvFile } from './env-file.ts'

const parse = (text: string) => parseEnvFile(Buffer.from(text))

test('a file is read however the editor wrote it', () => {
  const values = {
    RESEND_API_KEY: 're_1',
    MAIL_FROM: 'Harbor Groups <groups@mail.sample.test>',
    PORT: '3000',
  }
  const lines = [
    'RESEND_API_KEY=re_1',
    '# a comment',
    'MAIL_FROM="Harbor Groups <groups@mail.sample.test>"',
    'PORT=3000 # here',
    '',
  ]
  const expected = { values, warnings: [] }
  expect(parse(lines.join('\n'))).toEqual(expected)
  expect(parse(`\ufeff${lines.join('\r\n')}`)).toEqual(expected)
  const utf16 = Buffer.from(`\ufeff${lines.join('\r\n')}`, 'utf16le')
  expect(parseEnvFile(utf16)).toEqual(expected)
  expect(parseEnvFile(Buffer.from(utf16).swap16())).toEqual(expected)
})

test.each([
  ['POSTAL_ADDRESS=1 Main St #4', 'line 2: POSTAL_ADDRESS is cut at the # in it; put quotation marks'],
  ['BRAND_COLOR=#0b5c4a', 'line 2: BRAND_COLOR is cut at the # in it'],
  ['REDIS_URL=redis://:pass#word@localhost', 'line 2: REDIS_URL is cut at the # in it'],
  ['export BRAND_NAME="Harbor', 'line 2: BRAND_NAME opens a quotation mark'],
  ['BRAND_NAME=\u201cHarbor\u201d', 'line 2: BRAND_NAME has curly quotation marks'],
])('%s is warned of, without the value', (line, warning) => {
  const { warnings } = parse(`LOG_LEVEL=info\n${line}\n`)
  expect(warnings).toEqual([expect.stringContaining(warning)])
  expect(warnings.join('')).not.toMatch(/pass|0b5c4a|Main|Harbor/)
})

test.each(['PORT=3000 # the port', 'A="1 Main St #4"', "A='#1'", 'A=', '# A=#1', '#A=b#c', 'A=b ## c'])(
  '%s is as it should be',
  (line) => expect(parse(line).warnings).toEqual([]),
)

test('the file here is read, or else the one of the program, whose paths stay its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'openseat-env-'))
  const [program, here] = [join(folder, 'program'), join(folder, 'here')]
  for (const name of [program, here]) mkdirSync(name)
  const none = { values: {}, warnings: [] }
  expect(findEnvFile(here, program)).toEqual(none)
  writeFileSync(
    join(program, '.env'),
    'DATABASE_PATH=\nTEMPLATES_PATH=../ours\nLINK_SECRET_FILE=/run/secret\nMETRICS_TOKEN_FILE=\nPORT=3000\n',
  )
  expect(findEnvFile(here)).toEqual(none)
  expect(findEnvFile(here, program).values).toEqual({
    DATABASE_PATH: join(program, 'data/openseat.db'),
    TEMPLATES_PATH: join(folder, 'ours'),
    LINK_SECRET_FILE: '/run/secret',
    METRICS_TOKEN_FILE: '',
    PORT: '3000',
  })
  writeFileSync(join(program, '.env'), 'DATABASE_PATH=db/list.db\n')
  expect(findEnvFile(here, program).values).toEqual({ DATABASE_PATH: join(program, 'db/list.db') })
  writeFileSync(join(here, '.env'), 'DATABASE_PATH=mine.db\n')
  expect(findEnvFile(here, program).values).toEqual({ DATABASE_PATH: 'mine.db' })
  rmSync(folder, { recursive: true })
})
