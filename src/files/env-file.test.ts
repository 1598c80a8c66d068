import { expect, test } from '@jest/globals'
import { parseEnvFile } from './env-file.ts'

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
