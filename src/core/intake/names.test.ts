import { expect, test } from '@jest/globals'
import { holdsContact, readName } from './names.ts'

test.each([
  ...[
    'Ada',
    'Ma.Theresa',
    'St.John',
    'J.R.',
    'J. R. Ewing',
    'St. John',
    "O'Brien",
    'Zoë',
    '美咲',
    'María-José',
  ],
  ...['Ada 2', 'Ada (1987)', 'Dr. Ma.Theresa St.John', 'Ada-Lou 💛', 'Ma.De Lourdes', 'Ma.Tomas'],
])('%s is a name', (name) => {
  expect(holdsContact(name)).toBe(false)
})

test.each([
  ...[
    'win.example',
    'see www.win',
    'WWW.WIN',
    'https://x',
    'ada@sample.test',
    'EVIL.COM',
    'Evil.Com',
    'Evil.Co/x',
  ],
  ...[
    'evil。example',
    'evil․com',
    'evil．com',
    'evil｡com',
    'ａｄａ＠sample',
    'ev\u200bil.\u200bcom',
    '例え.テスト',
  ],
  ...['evil.xn--p1ai', 'Call +1 900 555 0199', '(900) 555-0199', '９００５５５', '٩٠٠٥٥٥', 'hxxp://evil'],
])('%j has a contact in it', (name) => {
  expect(holdsContact(name)).toBe(true)
})

test('a name is cleaned, or the error says what is wrong with it', () => {
  expect(readName('  Ada \n M. ')).toEqual({ name: 'Ada M.', error: null })
  expect(readName('x'.repeat(61)).error).toEqual({
    field: 'name',
    key: 'page.wrong.name.long',
    values: { max: 60 },
  })
  expect(readName('evil.example').error).toEqual({ field: 'name', key: 'page.wrong.name.link' })
})
