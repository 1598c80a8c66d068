import { expect, test } from '@jest/globals'
import { formatMailbox, parseMailbox } from './mailbox.ts'

test.each([
  ['groups@mail.sample.test', 'groups@mail.sample.test'],
  ['<groups@mail.sample.test>', 'groups@mail.sample.test'],
  ['Harbor Groups <groups@mail.sample.test>', 'Harbor Groups <groups@mail.sample.test>'],
  ['"Harbor Groups" <groups@mail.sample.test>', 'Harbor Groups <groups@mail.sample.test>'],
  ['Mira Lee, LCSW <mira@sample.test>', '"Mira Lee, LCSW" <mira@sample.test>'],
  ['"Mira Lee, LCSW" <mira@sample.test>', '"Mira Lee, LCSW" <mira@sample.test>'],
  ['Groups: weekly (new) <mira@sample.test>', '"Groups: weekly (new)" <mira@sample.test>'],
  ['Dr. Lee <mira@sample.test>', '"Dr. Lee" <mira@sample.test>'],
  ['Mira "Mimi" Lee <mira@sample.test>', '"Mira \\"Mimi\\" Lee" <mira@sample.test>'],
  ['Zoë <zoe@bücher.test>', 'Zoë <zoe@xn--bcher-kva.test>'],
])('%s is written %s, and stays so', (text, written) => {
  const read = parseMailbox(text)
  expect(read && formatMailbox(read)).toBe(written)
  const again = parseMailbox(written)
  expect(again).toEqual(read)
})

test.each([
  ...[
    '',
    'Harbor Groups',
    'a@b@c.test',
    'A <a@sample.test>, B <b@sample.test>',
    'a@sample.test, b@sample.test',
  ],
  ...[
    'A\r\nBcc: b@sample.test <a@sample.test>',
    'A <a@sample.test',
    'jürgen@sample.test',
    'A <a b@sample.test>',
  ],
])('%j is no mailbox', (text) => expect(parseMailbox(text)).toBeNull())
