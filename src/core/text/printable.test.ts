import { expect, test } from '@jest/globals'
import { printable } from './printable.ts'

test('what a terminal would obey is shown instead', () => {
  expect(printable('a\u001b[2Jb\u0007\u0000\u009b1m\r\u202ec\u2066')).toBe(
    'a\\u001b[2Jb\\u0007\\u0000\\u009b1m\\u000d\\u202ec\\u2066',
  )
  expect(printable('Grüße, 你好\n\tñ 🙂')).toBe('Grüße, 你好\n\tñ 🙂')
})

test('a JSON document stays the one it was', () => {
  const document = { name: 'a\u202e\u009b\u001b\n', list: ['\u2066'] }
  const text = printable(JSON.stringify(document, null, 2))
  expect(JSON.parse(text)).toEqual(document)
  expect(text).not.toMatch(/[\u202e\u009b\u2066]/)
})
